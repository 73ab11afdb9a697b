"""One line of the access log, read back."""

import msgspec

from shoal.mesh.edge import EDGE

_INBOUND, _OUTBOUND = "inbound.", "outbound."


class HopLine(msgspec.Struct, frozen=True, kw_only=True):
    """What one hop says of one request; what it does not know is empty."""

    time: str = ""
    hop: str = ""
    request_id: str = ""
    trace_id: str = ""
    traceparent: str = ""
    caller: str = ""
    method: str = ""
    authority: str = ""
    path: str = ""
    route: str = ""
    status: int = 0
    """0 when nobody was left to answer."""
    flags: str = ""
    details: str = ""
    failure: str = ""
    cluster: str = ""
    upstream: str = ""
    attempts: int = 0
    duration_ms: int = 0
    duration_us: int = 0
    bytes_sent: int = 0
    """Of the answer's body."""

    @property
    def trace(self) -> str:
        """The trace's identifier, also of callers that say nothing but ``traceparent``."""
        parts = self.traceparent.split("-")
        return self.trace_id or (parts[1] if len(parts) > 3 else "")

    @property
    def at_edge(self) -> bool:
        """Whether the request came from outside."""
        return self.hop == EDGE

    @property
    def serves(self) -> str:
        """The service that is called at this hop; empty elsewhere."""
        return self.hop.removeprefix(_INBOUND) if self.hop.startswith(_INBOUND) else ""

    @property
    def calls(self) -> str:
        """The service that calls at this hop; empty elsewhere."""
        return self.hop.removeprefix(_OUTBOUND) if self.hop.startswith(_OUTBOUND) else ""

    @property
    def callee(self) -> str:
        """The service to which the request went, or would have gone."""
        return self.serves or self.cluster.partition(".")[2] or self.route.partition(".")[0]

    @property
    def failed(self) -> bool:
        """Whether it ended otherwise than wanted."""
        return self.status >= 400 or self.status == 0


def read(line: bytes) -> HopLine | None:
    """Read a line; None for what is none, such as one that was cut off by a full disk."""
    try:
        fields = msgspec.json.decode(line, type=dict[str, object])
        return msgspec.convert({k: v for k, v in fields.items() if v is not None}, HopLine)
    except msgspec.MsgspecError:
        return None
