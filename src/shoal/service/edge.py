"""What an operation may ask of the gateway, as options of its decorator."""

from typing import TypedDict

from shoal.model.edge import LARGEST, Edge
from shoal.model.limits import RateLimit
from shoal.model.shaping import Transform


class EdgeOptions(TypedDict, total=False):
    """Options that say what the gateway does for an operation."""

    limit: RateLimit
    """How often one caller may ask; what is over it gets 429 with ``Retry-After``."""
    transform: Transform
    """Another path, other headers or query parameters between the client and the service."""
    largest: int
    """Bytes of a request's body; 1 MiB when nothing is said. What is larger gets 413."""
    compress: bool
    """Compress answers (zstd, br or gzip, as the client can). Not where secrets stand beside what others can choose."""


def build_edge(options: EdgeOptions) -> Edge:
    """Gather them."""
    return Edge(
        limit=options.get("limit"),
        transform=options.get("transform"),
        largest=options.get("largest", LARGEST),
        compress=options.get("compress", False),
    )
