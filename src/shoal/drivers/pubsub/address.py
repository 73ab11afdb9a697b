"""The address of Pub/Sub: ``pubsub:///PROJECT``, or ``pubsub://HOST/PROJECT`` for an endpoint of one region.

Order is kept among what is published in one region, so publishers in several name one endpoint, such as
``europe-west1-pubsub.googleapis.com``. ``wait=`` has the seconds that a request for messages waits there; ``tls=0`` is
for emulators on loopback, which are asked without credentials.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from shoal.drivers.base.endpoint import endpoint
from shoal.errors import DeclarationError

_ITSELF = "Google Pub/Sub"
_PLACE = "https://pubsub.googleapis.com"
WAIT = 20.0
MOST_WAIT = 80.0
"""Pub/Sub lets a request wait for a minute and a half."""

_PROJECT = re.compile(r"[a-z][a-z0-9.:-]{4,}[a-z0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PubsubAddress:
    """Where Pub/Sub is, and the project in it.

    Args:
        place: URL of the interface.
        project: Id of the project.
        emulated: Whether it is an emulator, which knows nobody.
        wait: Seconds that a request for messages waits there.
    """

    place: str
    project: str
    emulated: bool
    wait: float = WAIT


def read(url: str) -> PubsubAddress:
    """Read an address; raises `DeclarationError`."""
    parts = urlsplit(url)
    given = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if unknown := sorted(given.keys() - {"tls", "wait"}):
        raise DeclarationError(f"the pubsub address has an unknown parameter {unknown[0]!r}", hint="use: tls, wait")
    if parts.username or parts.password:
        hint = "leave them out: a service is known by its service account"
        raise DeclarationError("the pubsub address has a user or a password", hint=hint)
    project = unquote(parts.path.removeprefix("/"))
    if not _PROJECT.fullmatch(project):
        raise DeclarationError(f"the pubsub address names no project: {project!r}", hint="use pubsub:///PROJECT")
    tls = given.get("tls", "1")
    place = endpoint(parts.scheme, parts.netloc, parts.hostname or "", tls, _ITSELF) or _PLACE
    return PubsubAddress(place=place, project=project, emulated=tls == "0", wait=_wait(given.get("wait", "")))


def _wait(text: str) -> float:
    try:
        seconds = float(text) if text else WAIT
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= MOST_WAIT:
        raise DeclarationError(f"the pubsub address says wait={text!r}", hint=f"use seconds, at most {MOST_WAIT:g}")
    return seconds
