"""What the gateway does for one endpoint besides routing to it. Pure data; each part is described in its own file."""

from shoal.errors import DeclarationError
from shoal.model.caching import Cache
from shoal.model.data import Data
from shoal.model.limits import RateLimit
from shoal.model.only import Only
from shoal.model.shaping import Transform
from shoal.model.sockets import Socket
from shoal.model.streaming import Stream
from shoal.model.versioning import Version

LARGEST = 1024 * 1024
"""Bytes of a request's body where nothing else is said."""

MOST = 64 * 1024 * 1024
"""Bytes of a request's body that may be asked for; what is larger belongs into a store of objects."""


class Edge(Data, frozen=True, kw_only=True):
    """Everything that an endpoint asks of the gateway."""

    only: Only | None = None
    """For which requests it is there, besides its method and path."""
    limit: RateLimit | None = None
    transform: Transform | None = None
    largest: int = LARGEST
    """Bytes of a request's body; what is larger gets 413."""
    compress: bool = False
    """Whether answers are compressed for those who can read it."""
    cache: Cache | None = None
    """How long its answers may be kept, and for whom; None keeps none."""
    stream: Stream | None = None
    """How it goes on telling, where its answer is a stream."""
    socket: Socket | None = None
    """How clients converse with it, where it is a WebSocket."""
    version: Version | None = None
    """Which version of an operation it is, and until when."""

    def __post_init__(self) -> None:
        """Refuse a size that lets nothing through, or everything: the edge holds a whole body in memory."""
        if not 1 <= self.largest <= MOST:
            raise DeclarationError(f"{self.largest} bytes are no size of a body", hint=f"use 1 to {MOST}")

    @property
    def goes_on(self) -> bool:
        """Whether it lasts, so that how long says nothing of load."""
        return not (self.stream is None and self.socket is None)
