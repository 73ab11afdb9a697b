"""What an operation may ask of the gateway, as options of its decorator."""

from typing import TypedDict

from shoal.model.edge import Edge
from shoal.model.limits import RateLimit


class EdgeOptions(TypedDict, total=False):
    """Options that say what the gateway does for an operation."""

    limit: RateLimit
    """How often one caller may ask; what is over it gets 429 with ``Retry-After``."""


def build_edge(options: EdgeOptions) -> Edge:
    """Gather them."""
    return Edge(limit=options.get("limit"))
