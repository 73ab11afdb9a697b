"""Keys of consumers: what verifies them is kept under ``.shoal/secrets``; a key itself is shown once, kept nowhere."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from shoal.errors import ShoalError
from shoal.local.host import private_directory, private_file
from shoal.model.issuers import key_issuer


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one key."""

    id: str
    consumer: str
    made: int
    """Seconds since 1970."""
    expires: int
    public: dict[str, Any]
    """What verifies it, a JWK."""


def file(folder: Path) -> Path:
    """Locate the key set; it holds nothing secret, but who changes it lets in whom he wants."""
    return folder / "consumer-keys.json"


def read(folder: Path) -> tuple[Key, ...]:
    """List the keys of the project, in the order in which they were made."""
    try:
        found = msgspec.json.decode(file(folder).read_bytes(), type=dict[str, list[dict[str, Any]]])
        return tuple(_known(public) for public in found["keys"] if "shoal" in public)
    except FileNotFoundError:
        return ()
    except (msgspec.MsgspecError, KeyError, OSError) as error:
        raise ShoalError(f"{file(folder)} is no key set: {error}", hint="remove it, and make new keys") from error


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep others from changing the key set within the block; who comes meanwhile waits. Not to be nested."""
    private_directory(folder)
    descriptor = os.open(folder / "consumer-keys.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def ensure(folder: Path) -> Path:
    """Make the key set where there is none."""
    place = file(folder)
    if not place.exists():
        with held(folder):
            if not place.exists():
                _write(folder, ())
    return place


def create(folder: Path, system: str, consumer: str, days: float) -> tuple[Key, str]:
    """Make a key for a consumer, beside those that it has; return what is kept, and the key."""
    from shoal.tokens import make_key  # noqa: PLC0415 - cryptography takes 0.1 s to import

    now = int(time.time())
    key, public = make_key(consumer, key_issuer(system), expires=now + int(days * 86_400))
    kept = Key(id=public["kid"], consumer=consumer, made=now, expires=now + int(days * 86_400), public=public)
    with held(folder):
        _write(folder, (*read(folder), kept))
    return kept, key


def revoke(folder: Path, id_: str) -> Key:
    """Forget what verifies a key, or raise `ShoalError` when there is none of this id."""
    with held(folder):
        known = read(folder)
        gone = next((key for key in known if key.id == id_), None)
        if gone is None:
            raise ShoalError(f"there is no key {id_!r}", hint="`shoal keys list` shows their ids")
        _write(folder, tuple(key for key in known if key is not gone))
        return gone


def _write(folder: Path, known: tuple[Key, ...]) -> None:
    entries = [k.public | {"shoal": {"consumer": k.consumer, "made": k.made, "expires": k.expires}} for k in known]
    if not entries:
        from shoal.tokens import nobodys_key  # noqa: PLC0415 - cryptography takes 0.1 s to import

        entries = [nobodys_key()]
    private_file(file(folder), msgspec.json.encode({"keys": entries}).decode())


def _known(entry: dict[str, Any]) -> Key:
    said = entry["shoal"]
    public = {name: value for name, value in entry.items() if name != "shoal"}
    return Key(id=entry["kid"], public=public, **said)
