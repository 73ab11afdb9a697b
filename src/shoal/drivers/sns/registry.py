"""What is declared: streams, their subjects and topics, as parameters of Systems Manager.

A topic knows no subjects, and its tags can be read only one topic at a time. So each stream is one parameter, and all
are read together.
"""

from collections.abc import Sequence

import msgspec

from shoal.drivers.base.subjects import covers
from shoal.drivers.sns.link import Link
from shoal.drivers.sns.wire import Record
from shoal.errors import EngineError, Unavailable

LARGEST = 4096
"""Bytes of a parameter of the standard tier (Systems Manager quotas)."""


class Registry:
    """The streams of one system."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._path = f"/shoal/{link.address.name or 'system'}/streams"
        self._records: dict[str, Record] = {}

    @property
    def records(self) -> Sequence[Record]:
        """All of them, as they were last read."""
        return [*self._records.values()]

    def known(self, stream: str) -> Record | None:
        """Look up a stream among those that were read."""
        return self._records.get(stream)

    def route(self, subject: str) -> Record | None:
        """Find the stream that takes a subject."""
        return next((r for r in self._records.values() if covers(r.stream.subjects, subject)), None)

    async def refresh(self) -> None:
        """Read all of them again."""
        found: dict[str, Record] = {}
        token: dict[str, str] = {}
        while True:
            page = await self._link.ask("ssm", "get_parameters_by_path", Path=self._path, MaxResults=10, **token)
            for parameter in page.get("Parameters", ()):
                record = _read(parameter["Value"])
                if record is not None:
                    found[record.stream.name] = record
            if not page.get("NextToken"):
                break
            token = {"NextToken": page["NextToken"]}
        self._records = found

    async def require(self, stream: str) -> Record:
        """Look up a stream as it is now; `Unavailable` when there is none."""
        await self.refresh()
        record = self.known(stream)
        if record is None:
            raise Unavailable(f"there is no stream {stream}", hint="declare it first")
        return record

    async def write(self, record: Record) -> None:
        """Write a stream down."""
        name = f"{self._path}/{record.stream.name}"
        value = msgspec.json.encode(record).decode()
        if len(value) > LARGEST:
            what = f"stream {record.stream.name} has too many subjects to be written down ({len(value)} bytes)"
            raise EngineError(what, hint=f"a parameter of Systems Manager takes {LARGEST}: divide the service")
        await self._link.ask("ssm", "put_parameter", Name=name, Value=value, Type="String", Overwrite=True)
        self._records[record.stream.name] = record


def _read(value: str) -> Record | None:
    try:
        return msgspec.json.decode(value, type=Record)
    except msgspec.MsgspecError:
        return None
