"""Certificates of a local mesh: made when they are missing, old or for somebody else, reused otherwise."""

import time
from pathlib import Path

import msgspec

from shoal.local.host import private_directory, private_file
from shoal.mesh.layout import Layout as MeshLayout
from shoal.model.plan import GATEWAY, Plan

_DAY = 86_400
_VALID_DAYS = 90
_RENEW_DAYS = 30
"""A run may last this long."""


class _Issued(msgspec.Struct, frozen=True, kw_only=True):
    """What was made, so that reuse needs no look into a certificate."""

    system: str
    expires: float
    holders: tuple[str, ...]


def ensure(folder: Path, plan: Plan, layout: MeshLayout) -> None:
    """Make the certificates of every service and of the gateway at their places in `layout`.

    The authority's key is kept in `folder`.
    """
    note = folder / "identities.json"
    wanted = tuple(sorted(layout.holders))
    if _reusable(note, plan.system.name, wanted) and _complete(layout):
        return
    expires = _make(folder, plan, layout)
    private_file(note, msgspec.json.encode(_Issued(system=plan.system.name, expires=expires, holders=wanted)).decode())


def _reusable(note: Path, system: str, holders: tuple[str, ...]) -> bool:
    try:
        issued = msgspec.json.decode(note.read_bytes(), type=_Issued)
    except (OSError, msgspec.MsgspecError):
        return False
    return issued.system == system and issued.holders == holders and issued.expires - time.time() > _RENEW_DAYS * _DAY


def _complete(layout: MeshLayout) -> bool:
    files = [layout.trust(), *(f(h) for h in layout.holders for f in (layout.certificate, layout.key))]
    return all(Path(file).is_file() for file in files)


def _make(folder: Path, plan: Plan, layout: MeshLayout) -> float:
    import datetime as dt  # noqa: PLC0415 - with cryptography 0.1 s, needed once a quarter

    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    from shoal.mesh import certificates  # noqa: PLC0415

    now = dt.datetime.now(dt.UTC)
    issuance = certificates.Issuance(
        now=now, validity=dt.timedelta(days=_VALID_DAYS), new_key=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    root = certificates.authority(plan.system.name, issuance)
    private_file(folder / "authority-key.pem", root.key)
    _put(layout.trust(), root.certificate)
    identities = {s.name: s.identity for s in plan.services} | {GATEWAY: plan.gateway_identity}
    for holder in layout.holders:
        leaf = certificates.identity(root, identities[holder], issuance)
        _put(layout.key(holder), leaf.key)
        _put(layout.certificate(holder), leaf.certificate)
    return now.timestamp() + _VALID_DAYS * _DAY


def _put(path: str, text: str) -> None:
    private_directory(Path(path).parent)
    private_file(Path(path), text)
