"""What the gateway does for one endpoint besides routing to it. Pure data; each part is described in its own file."""

from shoal.model.data import Data
from shoal.model.limits import RateLimit


class Edge(Data, frozen=True, kw_only=True):
    """Everything that an endpoint asks of the gateway."""

    limit: RateLimit | None = None
