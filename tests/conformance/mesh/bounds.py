"""What no single call shows: how long one may take, how many there may be, and what is repeated."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

from tests.conformance.edge.runner import Reply
from tests.conformance.edge.table import Expect
from tests.conformance.mesh.scene import Ways
from tests.conformance.mesh.table import Row
from tests.mesh.wire import App, eventually_true

Apps = Mapping[str, App]
"""Service → its application."""

Bound = Callable[[Ways, Apps], Awaitable[tuple[str, ...]]]
"""Tries one thing, and lists what is otherwise than expected."""

PATIENCE = 3.0
"""Seconds after which what should end by itself has not."""

_HELD = {"x-test-hold": "1"}


def _held(path: str, caller: str = "till", to: str = "stock") -> Row:
    return Row(name=path, caller=caller, to=to, method="POST", path=path, headers=_HELD, expect=Expect())


async def _ends_first(short: Row, long: Row, ways: Ways, apps: Apps) -> tuple[str, ...]:
    """Make two calls that nobody answers: one ends by itself, then the other is answered."""
    one, other = asyncio.create_task(ways.call(short)), asyncio.create_task(ways.call(long))
    done, _ = await asyncio.wait({one, other}, return_when=asyncio.FIRST_COMPLETED, timeout=PATIENCE)
    await _release(apps["stock"])
    replies = await asyncio.gather(one, other)
    first = () if done == {one} else (f"of both calls {len(done)} ended by themselves, or the other one",)
    return (*first, *_statuses(replies, 504, 200))


async def _asked(row: Row, ways: Ways, apps: Apps, times: int) -> tuple[str, ...]:
    before = len(apps["stock"].seen)
    reply = await ways.call(row)
    found = len(apps["stock"].seen) - before
    wrong = () if found == times else (f"the application was asked {found} times, not {times}",)
    return (*_statuses([reply], 503), *wrong)


async def time_is_bounded_by_the_operation(ways: Ways, apps: Apps) -> tuple[str, ...]:
    """Call two operations, of which one has less time."""
    return await _ends_first(_held("/reservations"), _held("/counts"), ways, apps)


async def time_is_bounded_at_the_gateway(ways: Ways, apps: Apps) -> tuple[str, ...]:
    """Ask for two operations from outside, of which one has less time."""
    return await _ends_first(_held("/sales", "gateway"), _held("/purchases", "gateway"), ways, apps)


async def calls_at_a_time_are_bounded(ways: Ways, apps: Apps) -> tuple[str, ...]:
    """Call a service that takes one call at a time while it has one: the next is refused at once."""
    scales, seen = apps["scales"], len(apps["scales"].seen)
    first = asyncio.create_task(ways.call(_held("/weights", to="scales")))

    async def begun() -> bool:
        return len(scales.seen) > seen

    await eventually_true(begun)
    second = asyncio.create_task(ways.call(_held("/weights", to="scales")))
    done, _ = await asyncio.wait({second}, timeout=PATIENCE)
    await _release(scales)
    waited = () if done else ("the second call waited",)
    return (*waited, *_statuses(await asyncio.gather(first, second), 200, 503))


async def calls_are_repeated_by_nobody_but_the_caller(ways: Ways, apps: Apps) -> tuple[str, ...]:
    """Call what answers 503: it has seen the call, so no proxy makes it again."""
    row = Row(name="", caller="till", path="/items/7", headers={"x-test-status": "503"}, expect=Expect())
    return await _asked(row, ways, apps, times=1)


async def the_gateway_repeats_what_changes_nothing(ways: Ways, apps: Apps) -> tuple[str, ...]:
    """Ask from outside for what answers 503: as often as its operation says."""
    row = Row(name="", caller="gateway", path="/shown/7", headers={"x-test-status": "503"}, expect=Expect())
    return await _asked(row, ways, apps, times=3)


async def the_gateway_repeats_no_command(ways: Ways, apps: Apps) -> tuple[str, ...]:
    """Ask from outside for what changes something and answers 503: once."""
    asked = {"x-test-status": "503"}
    row = Row(name="", caller="gateway", method="POST", path="/purchases", headers=asked, expect=Expect())
    return await _asked(row, ways, apps, times=1)


async def _release(app: App) -> None:
    app.release.set()
    app.release = asyncio.Event()


def _statuses(replies: Sequence[Reply], *expected: int) -> Iterator[str]:
    for reply, status in zip(replies, expected, strict=True):
        if reply.status != status:
            yield f"status {reply.status}, not {status}: {reply.body[:200]!r}"


BOUNDS: tuple[Bound, ...] = (
    time_is_bounded_by_the_operation,
    time_is_bounded_at_the_gateway,
    calls_at_a_time_are_bounded,
    calls_are_repeated_by_nobody_but_the_caller,
    the_gateway_repeats_what_changes_nothing,
    the_gateway_repeats_no_command,
)
