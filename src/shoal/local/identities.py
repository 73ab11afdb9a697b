"""Certificates of a local mesh: short-lived ones for everybody, issued anew while everything runs.

The authority lives for a year and never leaves this machine; what it signs lives for a day and is replaced after half
of it. The proxy reads new files when they are there, so that no connection and no request is lost.
"""

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from shoal.errors import HostError
from shoal.local.host import private_directory, private_file
from shoal.local.layout import Layout
from shoal.mesh.layout import Layout as MeshLayout
from shoal.model.plan import GATEWAY, Plan

_DAY = 86_400.0

LIFETIME = _DAY
"""Seconds that a certificate is valid."""

_AUTHORITY = 365 * _DAY
_AUTHORITY_LEFT = 60 * _DAY
"""Seconds that the authority has left at the start of a run, at least; a run may last this long."""

PAUSE = 60.0
"""Seconds between two looks at the clock: a laptop that slept finds its certificates out of date at once."""


class _Issued(msgspec.Struct, frozen=True, kw_only=True):
    """What was made, so that reuse needs no look into a certificate."""

    system: str
    holders: tuple[str, ...]
    authority: float
    """When the authority expires, in seconds since 1970."""
    expires: float
    """When what it signed expires."""


def ensure(folder: Path, plan: Plan, layout: MeshLayout, *, now: float | None = None) -> bool:
    """Issue the certificates of every service and of the gateway that are missing, or have lived half their time.

    Args:
        folder: Where the authority's key is kept.
        plan: Who needs one.
        layout: Where they belong.
        now: Seconds since 1970; the present when None.

    Returns:
        Whether any was issued.
    """
    present = time.time() if now is None else now
    issued = _known(folder, plan, layout, present)
    fresh = issued is not None and issued.holders == _holders(layout) and issued.expires - present > LIFETIME / 2
    if fresh and _complete(layout):
        return False
    _issue(folder, plan, layout, present, issued)
    return True


class Held(Protocol):
    """A plan on this machine."""

    @property
    def plan(self) -> Plan:
        """Who needs certificates."""
        ...

    @property
    def layout(self) -> Layout:
        """Where the authority's key is kept."""
        ...

    @property
    def mesh(self) -> MeshLayout | None:
        """Where certificates belong; None when nobody needs any."""
        ...


async def keep(site: Callable[[], Held | None], say: Callable[[str], None]) -> None:
    """Issue certificates anew before they expire, until cancelled.

    Args:
        site: What runs at present.
        say: Told when it was done, and when it could not be; it is tried again then.
    """
    while True:
        await asyncio.sleep(PAUSE)
        found = site()
        try:
            if found is None or found.mesh is None:
                continue
            if await asyncio.to_thread(ensure, found.layout.secrets, found.plan, found.mesh):
                say("new certificates for everyone")
        except (HostError, OSError, ValueError) as error:
            say(f"no new certificates, and the old ones expire in time: {error}")


def _known(folder: Path, plan: Plan, layout: MeshLayout, now: float) -> _Issued | None:
    """Read what was issued by an authority that is still good; None when there is none."""
    try:
        issued = msgspec.json.decode((folder / "identities.json").read_bytes(), type=_Issued)
    except (OSError, msgspec.MsgspecError):
        return None
    good = issued.system == plan.system.name and issued.authority - now > _AUTHORITY_LEFT
    return issued if good and Path(layout.trust()).is_file() and _key(folder).is_file() else None


def _holders(layout: MeshLayout) -> tuple[str, ...]:
    return tuple(sorted(layout.holders))


def _key(folder: Path) -> Path:
    return folder / "authority-key.pem"


def _complete(layout: MeshLayout) -> bool:
    files = [f(h) for h in layout.holders for f in (layout.certificate, layout.key)]
    return all(Path(file).is_file() for file in files)


def _issue(folder: Path, plan: Plan, layout: MeshLayout, now: float, issued: _Issued | None) -> None:
    import datetime as dt  # noqa: PLC0415 - with cryptography 0.1 s, needed twice a day

    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    from shoal.mesh import certificates  # noqa: PLC0415

    def issuance(seconds: float) -> certificates.Issuance:
        return certificates.Issuance(
            now=dt.datetime.fromtimestamp(now, dt.UTC),
            validity=dt.timedelta(seconds=seconds),
            new_key=lambda: ec.generate_private_key(ec.SECP256R1()),
        )

    if issued is None:
        root = certificates.authority(plan.system.name, issuance(_AUTHORITY))
        private_file(_key(folder), root.key)
        _put(layout.trust(), root.certificate)
    else:
        trusted = Path(layout.trust()).read_text("utf-8")
        root = certificates.Credential(certificate=trusted, key=_key(folder).read_text("utf-8"))
    identities = {s.name: s.identity for s in plan.services} | {GATEWAY: plan.gateway_identity}
    for holder in layout.holders:
        leaf = certificates.identity(root, identities[holder], issuance(LIFETIME))
        _put_together({layout.key(holder): leaf.key, layout.certificate(holder): leaf.certificate}, f"{now:.6f}")
    note = _Issued(
        system=plan.system.name,
        holders=_holders(layout),
        authority=now + _AUTHORITY if issued is None else issued.authority,
        expires=now + LIFETIME,
    )
    private_file(folder / "identities.json", msgspec.json.encode(note).decode())


def _put_together(texts: Mapping[str, str], version: str) -> None:
    """Replace several files of one folder in one step, or a reader could find a key beside another's certificate.

    Each is a link through ``..data``, which is a link to the folder of one version (as Kubernetes mounts its secrets).
    """
    paths = [Path(path) for path in texts]
    home = paths[0].parent
    fresh = home / f"..{version}"
    for path in paths:
        private_directory(fresh)
        private_file(fresh / path.name, texts[str(path)])
    _link(home / "..data", fresh.name)
    for path in paths:
        if not path.is_symlink():
            _link(path, f"..data/{path.name}")
    for old in home.glob("..[0-9]*"):
        if old != fresh:
            shutil.rmtree(old, ignore_errors=True)


def _link(path: Path, target: str) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        draft.unlink(missing_ok=True)
        draft.symlink_to(target)
        draft.replace(path)
    except OSError as error:
        hint = "free disk space, and check the rights of its directory"
        raise HostError(f"cannot write {path}: {error.strerror or error}", hint=hint) from error


def _put(path: str, text: str) -> None:
    private_directory(Path(path).parent)
    private_file(Path(path), text)
