"""What an operation may ask of the gateway, as options of its decorator."""

import datetime as dt
from typing import TypedDict

from shoal.errors import DeclarationError
from shoal.model.caching import Cache
from shoal.model.edge import LARGEST, Edge
from shoal.model.limits import RateLimit
from shoal.model.only import Only
from shoal.model.shaping import Transform
from shoal.model.versioning import Version, moment, prefix


class EdgeOptions(TypedDict, total=False):
    """Options that say what the gateway does for an operation."""

    only: Only
    """At which hosts, and with which headers, it is to be found: ``Only(hosts=("partner.shop.example",))``."""
    limit: RateLimit
    """How often one caller may ask; what is over it gets 429 with ``Retry-After``."""
    transform: Transform
    """Another path, other headers or query parameters between the client and the service."""
    largest: int
    """Bytes of a request's body; 1 MiB when nothing is said. What is larger gets 413."""
    compress: bool
    """Compress answers (zstd, br or gzip, as the client can). Not where secrets stand beside what others can choose."""

    cache: Cache
    """Keep answers: ``Cache(seconds, shared=..., vary=..., invalidated_by=[Event])``."""
    version: int
    """Serve it below ``/v{version}``, and at its path where the header ``API-Version`` asks for it."""
    deprecated: dt.date
    """From when on nobody should begin to use it; answers say so (``Deprecation``)."""
    sunset: dt.date
    """From when on it answers 410; answers say so before (``Sunset``)."""


def build_edge(options: EdgeOptions, path: str = "") -> Edge:
    """Gather them."""
    return Edge(
        only=options.get("only"),
        limit=options.get("limit"),
        transform=options.get("transform"),
        largest=options.get("largest", LARGEST),
        compress=options.get("compress", False),
        cache=options.get("cache"),
        version=_version(options, path),
    )


def versioned(path: str, options: EdgeOptions) -> str:
    """Return the path that the service serves: that of its version."""
    return f"{prefix(options.get('version', 0))}{path}"


def _version(options: EdgeOptions, path: str) -> Version | None:
    if not {"version", "deprecated", "sunset"} & set(options):
        return None
    if options.get("version", 1) < 1:
        raise DeclarationError(f"version={options['version']} is no version", hint="count from 1")
    return Version(
        number=options.get("version", 0),
        path=path,
        deprecated=moment(options.get("deprecated")),
        sunset=moment(options.get("sunset")),
    )
