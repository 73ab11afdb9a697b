"""Objects in one bucket."""

import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from shoal.drivers.aws.address import AwsAddress
from shoal.drivers.aws.client import AwsClient, AwsRefusal, Json
from shoal.drivers.base.objects import (
    ABSENT,
    PIECE,
    Stored,
    Upload,
    check_digest,
    check_name,
    check_seconds,
    check_type,
    disposition,
    md5,
    parts,
    pieces,
)
from shoal.errors import Conflict, EngineError, Unavailable

PART = 8 * 1024 * 1024
"""Bytes of one part of what is larger: S3 takes 10,000 of at least 5 MiB, so an object can have 78 GiB."""

_SETTINGS = {
    "signature_version": "s3v4",
    "request_checksum_calculation": "when_required",  # as trailers they are understood by Amazon alone
    "response_checksum_validation": "when_required",
    "s3": {"addressing_style": "path"},
}

_ABSENT = frozenset({"404", "NoSuchKey"})
_CHANGED = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


class S3Objects:
    """Implements `base.objects.ObjectStore`.

    Args:
        address: Where the bucket is; its name is the address's.
        conditions: Whether writes can have conditions there.
    """

    def __init__(self, address: AwsAddress, *, conditions: bool = True) -> None:
        self._bucket, self._place, self._conditions = address.name, address.place, conditions
        style = _SETTINGS if address.endpoint else {**_SETTINGS, "s3": {"addressing_style": "virtual"}}
        self._client = AwsClient("s3", address, seconds=30.0, settings=style)

    async def open(self) -> None:
        """Do nothing: the first question connects."""

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    async def put(
        self,
        name: str,
        content: bytes | AsyncIterable[bytes],
        type: str,
        *,
        expect: str | None = None,
        sha256: str = "",
    ) -> Stored:
        """Send an object, in parts when it is large."""
        check_name(name), check_type(type)
        try:
            return await self._put(name, content, type, self._condition(expect), sha256)
        except _Absent as absent:  # what should have been replaced is not there
            raise Conflict(f"object {name} is not as it was expected") from absent

    async def _put(
        self,
        name: str,
        content: bytes | AsyncIterable[bytes],
        type: str,
        condition: Mapping[str, str],
        sha256: str,
    ) -> Stored:
        rest = parts(content, PART)
        first = await anext(rest, b"")
        second = await anext(rest, None)
        if second is None:
            found = hashlib.sha256(first).hexdigest()
            check_digest(name, found, sha256)
            words = {"Body": first, "ContentMD5": md5(first), "ContentType": type, "Metadata": {"sha256": found}}
            answer = await self._ask("put_object", name, **words, **condition)
            return _written(name, type, len(first), answer["ETag"], found)
        upload = _Multipart(self._ask, name, type, sha256)
        return await upload.run(first, second, rest, condition)

    async def get(self, name: str) -> bytes | None:
        """Read an object whole."""
        found = await self.read(name)
        return None if found is None else b"".join([piece async for piece in found])

    async def read(self, name: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes] | None:
        """Read an object from one answer."""
        if stop is not None and stop <= start:
            return None if await self.head(name) is None else pieces(b"")
        span = {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"} if start or stop is not None else {}
        try:
            answer = await self._ask("get_object", name, **span)
        except _Absent:
            return None
        except _Beyond:
            return pieces(b"")
        return self._client.pieces("get_object", answer["Body"], PIECE)

    async def head(self, name: str) -> Stored | None:
        """Ask for an object's head."""
        try:
            answer = await self._ask("head_object", name)
        except _Absent:
            return None
        return _stored(name, answer)

    async def delete(self, name: str) -> None:
        """Remove an object."""
        with suppress(_Absent):
            await self._ask("delete_object", name)

    async def list(self, prefix: str = "", *, after: str = "", limit: int = 1000) -> Sequence[Stored]:
        """Ask for one page."""
        words = {"Bucket": self._bucket, "Prefix": prefix, "StartAfter": after, "MaxKeys": limit}
        try:
            answer = await self._client.ask("list_objects_v2", **words)
        except AwsRefusal as refusal:
            raise self._explained("list", refusal) from refusal
        return [
            Stored(
                name=one["Key"], size=one["Size"], etag=one["ETag"].strip('"'), modified=one["LastModified"]
            )
            for one in answer.get("Contents", ())
        ]  # fmt: skip

    async def link(self, name: str, seconds: float, *, download: str = "") -> str:
        """Sign a URL."""
        how = disposition(download)
        words = {"Bucket": self._bucket, "Key": check_name(name), "ResponseContentDisposition": how}
        return await self._client.sign("get_object", check_seconds(seconds), **words)

    async def upload(self, name: str, seconds: float, *, type: str, size: int) -> Upload:
        """Sign a URL that takes these headers, and this length, and no other."""
        words = {
            "Bucket": self._bucket,
            "Key": check_name(name),
            "ContentType": check_type(type),
            "ContentLength": size,
        }
        once = self._condition(ABSENT) if self._conditions else {}
        url = await self._client.sign("put_object", check_seconds(seconds), **words, **once)
        return Upload(url=url, headers={"content-type": type} | ({"if-none-match": "*"} if once else {}))

    def _condition(self, expect: str | None) -> Mapping[str, str]:
        if expect is None:
            return {}
        if not self._conditions:
            raise EngineError(f"{self._place} knows no conditions on writes", hint="write under a fresh name")
        return {"IfNoneMatch": "*"} if expect == ABSENT else {"IfMatch": f'"{expect}"'}

    async def _ask(self, operation: str, name: str, **words: object) -> Json:
        try:
            return await self._client.ask(operation, Bucket=self._bucket, Key=check_name(name), **words)
        except AwsRefusal as refusal:
            raise self._explained(name, refusal) from refusal

    def _explained(self, name: str, refusal: AwsRefusal) -> Exception:
        if refusal.code in _ABSENT:
            return _Absent(name)
        if refusal.code == "InvalidRange" or refusal.status == 416:
            return _Beyond(name)
        if refusal.code in _CHANGED or refusal.status == 412:
            return Conflict(f"object {name} is not as it was expected")
        said = (
            f"{self._place} refused {refusal.operation} of {name}: {refusal.code or refusal.status} {refusal.message}"
        )
        if refusal.away or refusal.throttled or refusal.outdated:
            return Unavailable(said, hint="try again")
        return EngineError(said, hint="look at the rights of the service on its bucket")


class _Absent(EngineError):
    """There is no such object."""


class _Beyond(EngineError):
    """An object has no byte there."""


class _Multipart:
    """A large object on its way, part by part; nobody finds it before its last one."""

    def __init__(self, ask: Any, name: str, type: str, sha256: str) -> None:
        self._ask, self._name, self._type, self._wanted = ask, name, type, sha256
        self._digest, self._size = hashlib.sha256(), 0
        self._upload: Mapping[str, str] = {}
        self._sent: list[dict[str, object]] = []

    async def run(
        self, first: bytes, second: bytes, rest: AsyncIterator[bytes], condition: Mapping[str, str]
    ) -> Stored:
        """Send all parts, or leave none."""
        told = {"Metadata": {"sha256": self._wanted}} if self._wanted else {}
        begun = await self._ask("create_multipart_upload", self._name, ContentType=self._type, **told)
        self._upload = {"UploadId": begun["UploadId"]}
        try:
            await self._send(first)
            await self._send(second)
            async for part in rest:
                await self._send(part)
            found = self._digest.hexdigest()
            check_digest(self._name, found, self._wanted)
            done = {"MultipartUpload": {"Parts": self._sent}, **condition}
            answer = await self._ask("complete_multipart_upload", self._name, **self._upload, **done)
        except BaseException:
            with suppress(EngineError):  # what stays is removed by the bucket's own rule
                await self._ask("abort_multipart_upload", self._name, **self._upload)
            raise
        return _written(self._name, self._type, self._size, answer["ETag"], found)

    async def _send(self, part: bytes) -> None:
        self._digest.update(part)
        self._size += len(part)
        number = len(self._sent) + 1
        words = {**self._upload, "PartNumber": number, "Body": part, "ContentMD5": md5(part)}
        answer = await self._ask("upload_part", self._name, **words)
        self._sent.append({"PartNumber": number, "ETag": answer["ETag"]})


def _written(name: str, type: str, size: int, etag: str, sha256: str) -> Stored:
    return Stored(
        name=name, size=size, type=type, etag=etag.strip('"'), modified=datetime.now(UTC), sha256=sha256
    )  # fmt: skip


def _stored(name: str, answer: Json) -> Stored:
    return Stored(
        name=name,
        size=answer["ContentLength"],
        type=answer.get("ContentType", ""),
        etag=answer["ETag"].strip('"'),
        modified=answer["LastModified"],
        sha256=answer.get("Metadata", {}).get("sha256", ""),
    )
