"""AWS KMS, played by what its API reference says; MiniStack's turns no key."""

import base64
from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from shoal.drivers.base.cipher import Unreadable, new_key, seal, unseal
from tests.drivers.clouds_played import Played

HOME = "arn:aws:kms:eu-central-1:000000000000:key/"


class PlayedKms(Played):
    """Two keys with aliases; one that turns says for a while that it does."""

    def __init__(self) -> None:
        super().__init__()
        self.aliases = {"alias/users": f"{HOME}one", "alias/people": f"{HOME}mrk-two"}
        self.keys = {arn: [new_key()] for arn in self.aliases.values()}
        self.turning: dict[str, int] = {}
        """How often it is yet said that a key turns."""
        self.turns = 25

    def too_much(self) -> web.Response:
        return self._refused(400, "ThrottlingException")

    async def answer(self, request: web.Request) -> web.Response:
        operation = request.headers["x-amz-target"].removeprefix("TrentService.")
        asked = msgspec.json.decode(await request.read())
        arn = self.aliases.get(asked["KeyId"], asked["KeyId"])
        if arn not in self.keys:
            return self._refused(400, "NotFoundException")
        return self._done(operation, arn, asked)

    def _done(self, operation: str, arn: str, asked: Mapping[str, Any]) -> web.Response:
        versions = self.keys[arn]
        place = msgspec.json.encode(asked.get("EncryptionContext", {}), order="sorted").decode()
        if operation == "DescribeKey":
            return web.json_response({"KeyMetadata": {"KeyId": arn.rpartition("/")[2], "Arn": arn}})
        if operation == "Encrypt":
            blob = bytes([len(versions)]) + seal(versions[-1], base64.b64decode(asked["Plaintext"]), place)
            return web.json_response({"KeyId": arn, "CiphertextBlob": base64.b64encode(blob).decode()})
        if operation == "Decrypt":
            blob = base64.b64decode(asked["CiphertextBlob"])
            try:
                plain = unseal(versions[blob[0] - 1], blob[1:], place)
            except (Unreadable, IndexError):
                return self._refused(400, "InvalidCiphertextException")
            return web.json_response({"KeyId": arn, "Plaintext": base64.b64encode(plain).decode()})
        return self._turned(operation, arn)

    def _turned(self, operation: str, arn: str) -> web.Response:
        if operation == "RotateKeyOnDemand":
            if self.turning.get(arn):
                return self._refused(400, "ConflictException")
            if not self.turns:
                return self._refused(400, "LimitExceededException")
            self.turns -= 1
            self.turning[arn] = 2
            return web.json_response({"KeyId": arn})
        assert operation == "GetKeyRotationStatus", operation
        left = self.turning.get(arn, 0)
        if left == 1:
            self.keys[arn].append(new_key())
        self.turning[arn] = max(0, left - 1)
        began = {"OnDemandRotationStartDate": 1.7e9} if left > 1 else {}
        return web.json_response({"KeyId": arn, "KeyRotationEnabled": False, **began})

    def _refused(self, status: int, code: str) -> web.Response:
        return web.json_response({"__type": code, "message": "..."}, status=status)
