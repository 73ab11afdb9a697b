"""The edge's certificate for clients from outside, and how this machine's own tools reach the edge."""

import http.client
import time
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from shoal.local.host import private_directory, private_file
from shoal.mesh.layout import EDGE
from shoal.mesh.layout import Layout as MeshLayout
from shoal.model.plan import Plan

_DAY = 86_400
_VALID_DAYS = 90
_RENEW_DAYS = 30
"""A run may last this long."""

_HERE = ("localhost", "127.0.0.1")
"""By these names the edge is reached here, whatever else it is called."""


class _Issued(msgspec.Struct, frozen=True, kw_only=True):
    """What was made, so that reuse needs no look into a certificate."""

    names: tuple[str, ...]
    authority: str
    expires: float


def ensure(folder: Path, plan: Plan, layout: MeshLayout) -> None:
    """Make the edge's certificate at its place in `layout`, where the plan has TLS and none that fits is there.

    The system's authority, whose key is kept in `folder`, signs it: who trusts the one needs nothing else.
    """
    if plan.tls is None:
        return
    names = tuple(dict.fromkeys((*plan.tls.names, *_HERE)))
    authority = Path(layout.trust()).read_text("utf-8")
    note = folder / "front.json"
    if _reusable(note, names, authority) and Path(layout.certificate(EDGE)).is_file():
        return
    expires = _make(folder, names, layout)
    private_file(note, msgspec.json.encode(_Issued(names=names, authority=authority, expires=expires)).decode())


def base_url(plan: Plan) -> str:
    """Return the base URL of the edge on this machine."""
    return f"http://127.0.0.1:{plan.port}" if plan.tls is None else f"https://localhost:{plan.port}"


def connection(base: str, authority: str, timeout: float) -> http.client.HTTPConnection:
    """Make a connection to a base URL; over TLS it trusts the authority of that file (PEM) and nobody else."""
    address = urlsplit(base)
    if address.scheme != "https":
        return http.client.HTTPConnection(address.hostname or "", address.port, timeout=timeout)
    import ssl  # noqa: PLC0415 - most systems are run without TLS

    context = ssl.create_default_context(cafile=authority)
    return http.client.HTTPSConnection(address.hostname or "", address.port, timeout=timeout, context=context)


def _reusable(note: Path, names: tuple[str, ...], authority: str) -> bool:
    try:
        issued = msgspec.json.decode(note.read_bytes(), type=_Issued)
    except (OSError, msgspec.MsgspecError):
        return False
    return (issued.names, issued.authority) == (names, authority) and issued.expires - time.time() > _RENEW_DAYS * _DAY


def _make(folder: Path, names: tuple[str, ...], layout: MeshLayout) -> float:
    import datetime as dt  # noqa: PLC0415 - with cryptography 0.1 s, needed once a quarter

    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    from shoal.mesh import certificates  # noqa: PLC0415

    now = dt.datetime.now(dt.UTC)
    issuance = certificates.Issuance(
        now=now, validity=dt.timedelta(days=_VALID_DAYS), new_key=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    root = certificates.Credential(
        certificate=Path(layout.trust()).read_text("utf-8"), key=(folder / "authority-key.pem").read_text("utf-8")
    )
    leaf = certificates.edge(root, names, issuance)
    for path, text in ((layout.key(EDGE), leaf.key), (layout.certificate(EDGE), leaf.certificate)):
        private_directory(Path(path).parent)
        private_file(Path(path), text)
    return now.timestamp() + _VALID_DAYS * _DAY
