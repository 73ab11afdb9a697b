"""Google Cloud KMS and its metadata server, played by what the REST reference says."""

import base64
import re
import secrets
from collections.abc import Mapping

import msgspec
from aiohttp import web

from shoal.drivers.base.cipher import Unreadable, new_key, seal, unseal
from shoal.drivers.cloudkms.crc32c import crc32c
from tests.drivers.clouds_played import Played

PLACE = "projects/club/locations/europe-west3/keyRings/shoal/cryptoKeys"
_WORDS = re.compile(r"/v1/(?P<key>.*?/cryptoKeys/[\w-]+)(?:/cryptoKeyVersions/?(?P<version>\d*))?(?P<verb>:\w+)?")


class PlayedKms(Played):
    """A key ring of two keys; a new primary version is known only to who names it, as it may be for hours."""

    def __init__(self) -> None:
        super().__init__()
        self.token = secrets.token_urlsafe(8)
        self.keys: dict[str, list[bytes]] = {f"{PLACE}/{name}": [new_key()] for name in ("users", "people")}
        self.primary = dict.fromkeys(self.keys, 1)
        self.pending = 0
        self.wrong = ""
        """Field of the next answer that is wrong."""
        self.heard: list[Mapping[str, str]] = []

    def too_much(self) -> web.Response:
        return self._refused(429, "RESOURCE_EXHAUSTED")

    async def answer(self, request: web.Request) -> web.Response:
        if self.lends(request):
            form = {k: str(v) for k, v in (await request.post()).items()}
            self.heard.append({**form, **{k.lower(): v for k, v in request.headers.items()}})
            return web.json_response({"access_token": self.token, "expires_in": 3599, "token_type": "Bearer"})
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return self._refused(401, "UNAUTHENTICATED")
        match = _WORDS.fullmatch(request.path)
        if match is None or match["key"] not in self.keys:
            return self._refused(404, "NOT_FOUND")
        body = msgspec.json.decode(await request.read() or b"{}")
        return self._done(match["key"], int(match["version"] or 0), match["verb"] or "", request.method, body)

    def _done(self, key: str, version: int, verb: str, method: str, body: Mapping[str, str]) -> web.Response:
        if verb == ":encrypt":
            return self._encrypted(key, version or self.primary[key], body)
        if verb == ":decrypt" and not version:
            return self._decrypted(key, body)
        if verb == ":updatePrimaryVersion":
            assert int(body["cryptoKeyVersionId"]) <= len(self.keys[key])
            return web.json_response({"name": key})
        assert not verb
        if method == "POST":
            self.keys[key].append(new_key())
            self.pending = 1
            return web.json_response({"name": self._name(key, len(self.keys[key])), "state": "PENDING_GENERATION"})
        self.pending -= 1
        state = "PENDING_GENERATION" if self.pending >= 0 else "ENABLED"
        return web.json_response({"name": self._name(key, version), "state": state})

    def _encrypted(self, key: str, version: int, body: Mapping[str, str]) -> web.Response:
        plain, place = (base64.b64decode(body[name]) for name in ("plaintext", "additionalAuthenticatedData"))
        if int(body["plaintextCrc32c"]) != crc32c(plain):
            return self._refused(400, "INVALID_ARGUMENT")
        assert int(body["additionalAuthenticatedDataCrc32c"]) == crc32c(place)
        blob = bytes([version]) + seal(self.keys[key][version - 1], plain, place.decode())
        return self._sent({
            "name": self._name(key, version), "ciphertext": base64.b64encode(blob).decode(),
            "ciphertextCrc32c": str(crc32c(blob)), "verifiedPlaintextCrc32c": True,
            "verifiedAdditionalAuthenticatedDataCrc32c": True, "protectionLevel": "SOFTWARE",
        })  # fmt: skip

    def _decrypted(self, key: str, body: Mapping[str, str]) -> web.Response:
        blob, place = (base64.b64decode(body[name]) for name in ("ciphertext", "additionalAuthenticatedData"))
        assert int(body["ciphertextCrc32c"]) == crc32c(blob)
        try:
            plain = unseal(self.keys[key][blob[0] - 1], blob[1:], place.decode())
        except (Unreadable, IndexError):
            return self._refused(400, "INVALID_ARGUMENT")
        return self._sent({"plaintext": base64.b64encode(plain).decode(), "plaintextCrc32c": str(crc32c(plain))})

    def _sent(self, found: dict[str, object]) -> web.Response:
        if self.wrong in found:
            found[self.wrong] = "0" if self.wrong.endswith("textCrc32c") else False
            self.wrong = ""
        return web.json_response(found)

    def _name(self, key: str, version: int) -> str:
        return f"{key}/cryptoKeyVersions/{version}"

    def _refused(self, status: int, code: str) -> web.Response:
        return web.json_response({"error": {"code": status, "status": code, "message": "..."}}, status=status)
