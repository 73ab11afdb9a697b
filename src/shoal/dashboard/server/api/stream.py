"""What changes, as it changes: one stream of server-sent events for every page."""

from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Route, Stream


async def listen(desk: Desk, _: Asked) -> Stream:
    """Tell what changes: `tick` when telemetry came, `resources` when a process changed, `notice`."""
    return Stream(chunks=desk.hub.listen())


ROUTES = (Route(method="GET", path="/api/stream", asked=Asked, answer=listen),)
