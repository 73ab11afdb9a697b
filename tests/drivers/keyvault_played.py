"""Azure Key Vault, Microsoft Entra and managed identities, played by what the REST reference says."""

import base64
import functools
import secrets
from collections.abc import Mapping

import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from tests.drivers.clouds_played import Played


@functools.cache
def pair(number: int) -> rsa.RSAPrivateKey:
    """Make a key pair, which takes a while, once for each number."""
    return rsa.generate_private_key(65537, 2048)  # of which number matters nothing but that they differ


OAEP = padding.OAEP(padding.MGF1(SHA256()), SHA256(), None)


class PlayedVault(Played):
    """A vault with two keys; whoever has the token may use them."""

    def __init__(self) -> None:
        super().__init__()
        self.token = secrets.token_urlsafe(8)
        self.versions: dict[str, list[str]] = {"users": ["a0"], "people": ["b0"]}
        self.symmetric = secrets.token_bytes(32)
        self.heard: list[Mapping[str, str]] = []
        """What who wanted a token said."""

    def too_much(self) -> web.Response:
        return self._refused(429, "Throttled")

    async def answer(self, request: web.Request) -> web.Response:
        if self.lends(request):
            form = {k: str(v) for k, v in (await request.post()).items()}
            self.heard.append({**request.query, **form, **{k.lower(): v for k, v in request.headers.items()}})
            return web.json_response({"access_token": self.token, "expires_in": "3600", "token_type": "Bearer"})
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return self._refused(401, "Unauthorized")
        assert request.query["api-version"] == "7.4"
        parts = request.path.strip("/").split("/")[1:]
        versions = self.versions.get(parts[0], [])
        if versions and (request.method, len(parts)) == ("GET", 1):
            return self._key(parts[0])
        if versions and (request.method, *parts[1:]) == ("POST", "rotate"):
            versions.append(f"{versions[0][0]}{len(versions)}")
            return self._key(parts[0])
        return self._used(request.method, parts, msgspec.json.decode(await request.read()))

    def _used(self, method: str, parts: list[str], asked: Mapping[str, str]) -> web.Response:
        name, version, what = parts
        assert (method, what) in (("POST", "wrapkey"), ("POST", "unwrapkey"))
        if version not in self.versions.get(name, ()):
            return self._refused(404, "KeyNotFound")
        data = base64.urlsafe_b64decode(asked["value"] + "==")
        key = pair(self.versions[name].index(version) + 10 * ("ab".index(version[0])))
        try:
            if asked["alg"] == "A256KW":
                work = aes_key_wrap if what == "wrapkey" else aes_key_unwrap
                done = work(self.symmetric, data)
            else:
                assert asked["alg"] == "RSA-OAEP-256"
                done = key.public_key().encrypt(data, OAEP) if what == "wrapkey" else key.decrypt(data, OAEP)
        except (ValueError, InvalidUnwrap):
            return self._refused(400, "BadParameter")
        value = base64.urlsafe_b64encode(done).decode().rstrip("=")
        return web.json_response({"kid": self._kid(name, version), "value": value})

    def _key(self, name: str) -> web.Response:
        return web.json_response({"key": {"kid": self._kid(name, self.versions[name][-1]), "kty": "RSA"}})

    def _kid(self, name: str, version: str) -> str:
        return f"https://played.vault.azure.net/keys/{name}/{version}"

    def _refused(self, status: int, code: str) -> web.Response:
        return web.json_response({"error": {"code": code, "message": "..."}}, status=status)
