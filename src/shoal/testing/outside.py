"""Issuers outside a system under test, and the keys of its consumers: all of it made up, in files."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from shoal.errors import DeclarationError
from shoal.model.issuers import OpenId, key_issuer
from shoal.model.system import System
from shoal.tokens import Foreign, make_key


class Outside:
    """Signs what the gateway's issuers and consumers would show."""

    def __init__(self, folder: Path, system: System) -> None:
        self._system, self._folder = system, folder
        self._public: list[dict[str, Any]] = []
        self._signers = {issuer.name: Foreign(issuer.algorithms[0]) for issuer in system.gateway.issuers}
        self.config = self._issuers() | self._consumers()

    def sign(self, issuer: str, subject: str, now: float, claims: Mapping[str, Any]) -> str:
        """Sign a token that its issuer could have signed."""
        spec = next((i for i in self._system.gateway.issuers if i.name == issuer), None)
        if spec is None:
            raise DeclarationError(f"the gateway believes no issuer {issuer!r}", hint="declare Gateway(issuers=(...))")
        usual = {"iss": spec.issuer, spec.audience_claim: spec.audiences[0], **spec.required, "exp": int(now) + 3600}
        return self._signers[issuer].sign({**usual, spec.subject: subject, **claims})

    def key(self, consumer: str, expires: int) -> str:
        """Make a key beside those that there are."""
        key, public = make_key(consumer, key_issuer(self._system.name), expires=expires)
        self._public.append(public)
        self._write(self._folder / "consumer-keys.json", self._public)
        return key

    def _issuers(self) -> dict[str, str]:
        placed = [self._placed(issuer) for issuer in self._system.gateway.issuers]
        return {"issuers": msgspec.json.encode(placed).decode()} if placed else {}

    def _placed(self, issuer: OpenId) -> OpenId:
        file = self._folder / f"{issuer.name}.jwks.json"
        self._write(file, [self._signers[issuer.name].public])
        return msgspec.structs.replace(issuer, keys=str(file))

    def _consumers(self) -> dict[str, str]:
        consumers = self._system.gateway.consumers
        if not consumers:
            return {}
        file = self._folder / "consumer-keys.json"
        self._write(file, [])
        return {"consumers": msgspec.json.encode(consumers).decode(), "key_set": str(file)}

    def _write(self, file: Path, keys: list[dict[str, Any]]) -> None:
        """Replace a key set; a later time of change tells readers, also within one tick of the file system's clock."""
        before = file.stat().st_mtime if file.exists() else 0.0
        file.write_bytes(msgspec.json.encode({"keys": keys}))
        if file.stat().st_mtime <= before:
            os.utime(file, (before + 0.01, before + 0.01))
