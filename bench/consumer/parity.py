"""What everybody must do before anything is timed: each effect once, also when a message comes twice."""

from collections.abc import Sequence

from bench.consumer.events import again
from bench.consumer.kinds import TWICE
from bench.consumer.sides import Side
from bench.durable.database import Database

EVENTS, REPEATED = 400, 100

_NEXT = "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


async def prove(sides: Sequence[Side], server: Database) -> dict[str, float]:
    """Deliver events, then some twice at once, and then all of them again; compare what the accounts hold.

    Returns:
        How many transactions wrote, per event, by contestant.
    """
    return {side.name: await _prove(side, server) for side in sides}


async def _prove(side: Side, server: Database) -> float:
    before = await server.admin.fetchval(_NEXT)
    await side.feed(side.draw(EVENTS))
    await side.consume()
    wrote: int = await server.admin.fetchval(_NEXT) - before
    messages = side.draw(REPEATED)
    repeated = again(messages)
    neighbours = [one for pair in zip(messages, repeated[: REPEATED // 2], strict=False) for one in pair]
    await side.feed([*neighbours, *messages[REPEATED // 2 :], *repeated[REPEATED // 2 :]])
    await side.consume()
    if side.name in TWICE:
        assert not await agrees(side), "the test cannot tell who handles a message twice"
        return wrote / EVENTS
    assert await agrees(side), f"{side.name} did not handle each event once"
    await side.broker.rewind(side.consumers)
    await side.broker.drained(side.stream)
    assert await agrees(side), f"{side.name} handled events again that were delivered again"
    return wrote / EVENTS


async def agrees(side: Side) -> bool:
    """Say whether the accounts hold what was announced."""
    found = await side.counted()
    return found.orders == side.books.orders and found.totals == side.books.totals
