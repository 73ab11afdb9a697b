"""Attacks on the edge, each run in a process of its own: ``python -m tests.hostile.attacks NAME PORT``.

It has the lowest priority: who attacks brings processors of its own, and here there are only those of the edge.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from shoal.mesh.layout import Tcp
from tests.mesh import test_live_hostile_floods as floods
from tests.mesh.hostile import PREFACE, SETTINGS, Peer, connected, frame

SOCKETS, FRAMES = 1000, 100_000
DRIP = 2.0
"""Seconds between two pieces of one who is slow: too soon for any silence to be noticed."""

LONGEST = 90.0
"""Seconds after which an attack gives up."""

HEAD = b"POST /write HTTP/1.1\r\nhost: a\r\n"
SLOW: dict[str, tuple[bytes, bytes]] = {
    "heads": (HEAD, b"x-more: 1\r\n"),
    "bodies": (HEAD + b"content-length: 100000\r\n\r\n", b"x"),
    "readers": (b"GET /big HTTP/1.1\r\nhost: a\r\n\r\n", b""),
}
"""What each socket says first, and then again and again; readers never read."""

FLOODS: dict[str, Callable[[], Iterator[bytes]]] = {
    "reset": floods.reset,
    "continuation": floods.continued,
    "empty data": floods.empty,
    "priority": floods.priorities,
    "window": floods.windows,
    "ping": floods.pings,
    "settings": floods.settings,
}


async def slow(where: Tcp, name: str) -> int:
    """Hold a thousand sockets until the edge has closed them all; return how many it closed."""
    gone = await asyncio.gather(*(_slow(where, *SLOW[name]) for _ in range(SOCKETS)))
    return sum(gone)


async def _slow(where: Tcp, first: bytes, again: bytes) -> bool:
    async with connected(where, deaf=not again) as made, asyncio.timeout(LONGEST):
        await made.send(first)
        while await made.send(again or b"\r\n"):  # what a deaf one says only tells it whether anybody is there
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(made.closed.wait(), DRIP)
        return True


async def flood(where: Tcp, name: str) -> int:
    """Send a hundred thousand frames, over as many connections as the edge makes it take; return how many were sent."""
    sent = 0
    while sent < FRAMES:
        async with _http2(where) as made:
            sent += max(1, await made.send_all(FLOODS[name]()))
    return sent


@contextlib.asynccontextmanager
async def _http2(where: Tcp) -> AsyncIterator[Peer]:
    async with connected(where) as made:
        await made.send(PREFACE + frame(SETTINGS, 0, 0))
        yield made


def main() -> None:
    """Attack, and say on standard output how many sockets were closed, or frames sent."""
    name, port = sys.argv[1:]
    os.nice(19)
    attack: Callable[[Tcp, str], Awaitable[int]] = slow if name in SLOW else flood
    floods.FRAMES = 20_000

    async def run() -> int:
        return await attack(Tcp(host="127.0.0.1", port=int(port)), name)

    sys.stdout.write(f"{asyncio.run(run())}\n")


if __name__ == "__main__":
    main()
