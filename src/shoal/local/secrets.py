"""Passwords and keys of a project, made once and kept under ``.shoal/secrets``, readable by their owner only."""

import secrets
from collections.abc import Sequence
from pathlib import Path

import msgspec

from shoal.local.host import private_directory, private_file
from shoal.model.plan import Plan

OPERATOR = "operator"
"""The user of the broker that declares streams and consumers, and of Valkey that asks how the server is."""

LIMITER = "limiter"
"""The user of Valkey that counts requests."""


class Passwords(msgspec.Struct, frozen=True, kw_only=True):
    """Passwords by user, for each kind of engine."""

    stores: dict[str, str] = {}
    """By role; the engine's superuser under the engine's name."""
    brokers: dict[str, str] = {}
    counters: dict[str, str] = {}
    caches: dict[str, str] = {}
    """By user."""
    objects: dict[str, str] = {}
    """By user; with them, addresses that lend objects are signed."""

    def __repr__(self) -> str:
        """Show nothing of them."""
        return "Passwords(***)"


def passwords(folder: Path, plan: Plan, operators: Sequence[str] = ()) -> Passwords:
    """Read the passwords of the project, adding what `plan` and the operators of stores need and have none yet."""
    known = known_passwords(folder)
    stores = [s.store.role for s in plan.services if s.store] + [*operators]
    stores += [s.search.role for s in plan.services if s.search]
    brokers = [s.broker.user for s in plan.services if s.broker] + [OPERATOR]
    caches = [s.cache.user for s in plan.services if s.cache]
    objects = [s.objects.user for s in plan.services if s.objects]
    full = Passwords(
        stores=_filled(known.stores, stores),
        brokers=_filled(known.brokers, brokers),
        counters=_filled(known.counters, _counters(plan)),
        caches=_filled(known.caches, caches),
        objects=_filled(known.objects, [*objects, OPERATOR] if objects else []),
    )
    if full != known:
        private_file(_file(folder), msgspec.json.encode(full).decode())
    return full


def known_passwords(folder: Path) -> Passwords:
    """Read the passwords of the project as they are; none where there are none yet."""
    try:
        return msgspec.json.decode(_file(folder).read_bytes(), type=Passwords)
    except (OSError, msgspec.MsgspecError):
        return Passwords()


def _file(folder: Path) -> Path:
    return folder / "passwords.json"


def _counters(plan: Plan) -> list[str]:
    """List who enters Valkey and no service's part of it: the limiter, and who asks how the server is."""
    return [*([LIMITER] if "limiter" in plan.engines else []), *([OPERATOR] if "valkey" in plan.engines else [])]


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """Files of the key that signs tokens, and of the key set that verifies them."""

    private: Path
    public: Path


def files_of_key(folder: Path) -> SigningKey:
    """Say where the key of tokens lies in a folder, whether or not it is there."""
    return SigningKey(private=folder / "signing-key.json", public=folder / "jwks.json")


def signing_key(folder: Path) -> SigningKey:
    """Return the key of the project's tokens; make it at first use."""
    files = files_of_key(folder)
    if not files.private.exists() or not files.public.exists():
        from shoal import tokens  # noqa: PLC0415 - cryptography takes 0.1 s to import, once per project

        private_directory(folder)
        private, public = tokens.generate()
        private_file(files.public, public.decode())
        private_file(files.private, private.decode())
    return files


def _filled(known: dict[str, str], names: list[str]) -> dict[str, str]:
    return {**known, **{name: secrets.token_urlsafe(24) for name in names if name not in known}}
