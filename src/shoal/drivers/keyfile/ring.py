"""The keys of one service in a file that only its owner can read, made at first use."""

import base64
import contextlib
import os
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from shoal.drivers.base.cipher import Unreadable, new_key, seal, unseal
from shoal.drivers.base.keyring import Wrapped
from shoal.errors import EngineError


class _Keys(msgspec.Struct, frozen=True, kw_only=True):
    """What the file holds."""

    newest: str
    keys: dict[str, str]
    """By name, in base64."""


class FileKeyRing:
    """Implements `base.KeyRing`; reads the file anew each time, which is seldom."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def wrap(self, key: bytes, context: str) -> Wrapped:
        """Encrypt under the newest key."""
        found = self._read()
        return Wrapped(under=found.newest, blob=seal(_bytes(found, found.newest), key, context))

    async def unwrap(self, wrapped: Wrapped, context: str) -> bytes:
        """Decrypt."""
        found = self._read()
        if wrapped.under not in found.keys:
            raise EngineError(
                f"a key is wrapped under {wrapped.under}, which is not in {self._path}",
                hint="bring back the file that belongs to this store; without it nothing personal can be read",
            )
        try:
            return unseal(_bytes(found, wrapped.under), wrapped.blob, context)
        except Unreadable:
            raise EngineError(
                f"a key that is wrapped under {wrapped.under} of {self._path} cannot be read",
                hint="was the store's copy of it changed, or taken from another system?",
            ) from None

    async def renew(self) -> str:
        """Add a key; the file is replaced as a whole."""
        before = self._read()
        name = _name(len(before.keys) + 1)
        after = _Keys(newest=name, keys={**before.keys, name: _text(new_key())})
        _replace(self._path, msgspec.json.encode(after))
        return name

    async def close(self) -> None:
        """Nothing is held."""

    def _read(self) -> _Keys:
        with contextlib.suppress(FileExistsError):
            if not self._path.exists():
                _create(self._path)
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Keys)
        except (OSError, msgspec.MsgspecError) as error:
            raise EngineError(f"the key ring {self._path} cannot be read: {error}") from error


def key_ring(url: str) -> FileKeyRing:
    """Return the ring in the file that ``keyfile:///path`` names."""
    return FileKeyRing(Path(unquote(urlsplit(url).path)))


def _create(path: Path) -> None:
    """Make the file with its first key; whoever comes second finds it complete."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    first = _Keys(newest=_name(1), keys={_name(1): _text(new_key())})
    temporary = _written(path, msgspec.json.encode(first))
    try:
        os.link(temporary, path)
    finally:
        Path(temporary).unlink()


def _replace(path: Path, body: bytes) -> None:
    Path(_written(path, body)).replace(path)


def _written(path: Path, body: bytes) -> str:
    """Write a file beside another, on the disk, for its owner only."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # made with mode 0600
    with os.fdopen(handle, "wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    return temporary


def _name(number: int) -> str:
    return f"key-{number}"


def _text(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _bytes(found: _Keys, name: str) -> bytes:
    return base64.b64decode(found.keys[name])
