"""Several servers that share the keys among them, as one link: each command goes to the server that has its key."""

import asyncio
import dataclasses
import re
from collections.abc import Sequence

from shoal.drivers.valkey.link import Door, Link
from shoal.drivers.valkey.slots import SLOTS, Node, Words, elsewhere, key_of, shares, slot_of
from shoal.drivers.valkey.wire import Reply
from shoal.errors import EngineError, Unavailable

MOST = 6
"""Servers to which one command is sent on."""

_LATER = re.compile(r"refuses: (CLUSTERDOWN|LOADING|MASTERDOWN|TRYAGAIN)\b")
"""Begins what a server says that will answer later."""


class Cluster:
    """Links to the servers of a cluster, and which has what. Use it in one event loop.

    What a server did not answer is not sent again, since it may have been carried out: `Unavailable` says so, and the
    next command finds out anew who has its key.

    Args:
        doors: Some of the servers; the others are found by them, and are entered in the same way.
    """

    def __init__(self, doors: Sequence[Door]) -> None:
        self._doors = tuple(doors)
        self._links: dict[Node, Link] = {}
        self._nodes: list[Node | None] = []
        """By slot; empty as long as nothing is known."""
        self._teller = Node("", 0)
        """Who said so; it answers what is asked of nobody in particular."""
        self._stale = False
        self._doubted: set[Node] = set()
        self._looking: asyncio.Task[None] | None = None

    @property
    def place(self) -> str:
        """Where that is, for messages."""
        return "a cluster at " + ", ".join(door.place for door in self._doors)

    async def close(self) -> None:
        """End every connection."""
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
        links, self._links = self._links, {}
        for link in links.values():
            await link.close()

    async def call(self, *words: str | bytes | int) -> Reply:
        """Send one command and return its reply; raises as `Link.call` does."""
        (found,) = await self.calls([words])
        return found

    async def calls(self, commands: Sequence[Words]) -> list[Reply]:
        """Send commands together, to each server its own, and return their replies; raises as `Link.calls` does."""
        parts: dict[Node, list[int]] = {}
        for number, words in enumerate(commands):
            parts.setdefault(await self._node(words), []).append(number)
        asked = [self._settled(node, [commands[n] for n in numbers]) for node, numbers in parts.items()]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        found: dict[int, Reply] = {}
        for numbers, answer in zip(parts.values(), answers, strict=True):
            if isinstance(answer, BaseException):
                raise answer
            found.update(zip(numbers, answer, strict=True))
        for reply in found.values():
            if isinstance(reply, EngineError):
                raise reply
        return [found[number] for number in range(len(commands))]

    async def _settled(self, node: Node, commands: Sequence[Words]) -> list[Reply]:
        """Ask one server, and follow what it sends elsewhere."""
        replies = await self._asked(node, commands)
        return [await self._followed(node, words, found) for words, found in zip(commands, replies, strict=True)]

    async def _followed(self, node: Node, words: Words, found: Reply) -> Reply:
        for _ in range(MOST):
            moved = elsewhere(found, node)
            if moved is None:
                break
            node, self._stale = moved.node, self._stale or moved.for_good
            ahead: list[Words] = [] if moved.for_good else [("ASKING",)]
            found = (await self._asked(node, [*ahead, words]))[-1]
        if isinstance(found, EngineError) and (elsewhere(found, node) or _LATER.search(str(found))):
            self._stale = True
            raise Unavailable(f"{self.place} has nobody for a key now: {found}")
        return found

    async def _asked(self, node: Node, commands: Sequence[Words]) -> list[Reply]:
        """Ask one server; whoever does not answer, in time or at all, may have the slot no more."""
        try:
            return await self._link(node).replies(commands)
        except (Unavailable, asyncio.CancelledError):
            self._doubted.add(node)
            self._stale = True
            raise

    async def _node(self, words: Words) -> Node:
        if self._stale or not self._nodes:
            await self._known()
        key = key_of(words)
        node = None if key is None else self._nodes[slot_of(key)]
        return node or self._teller

    async def _known(self) -> None:
        """Find out who has what, once for all who wait; whoever gives up does not end it for the others."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
            self._looking.add_done_callback(lambda done: done.cancelled() or done.exception())  # all may have given up
        await asyncio.shield(self._looking)

    async def _look(self) -> None:
        known = [node for node in dict.fromkeys(self._nodes) if node is not None]
        known += [Node(door.host, door.port) for door in self._doors]
        self._stale, problem = False, ""
        for node in sorted(dict.fromkeys(known), key=lambda node: node in self._doubted):
            try:
                async with asyncio.timeout(self._doors[0].within):
                    found = await self._link(node).call("CLUSTER", "SLOTS")
            except (Unavailable, TimeoutError) as error:
                problem = str(error) or f"{node.host}:{node.port} did not answer"
                continue
            if await self._learn(found, node):
                return
            problem = f"{node.host}:{node.port} knows no server that has keys"
        self._stale = True
        raise Unavailable(f"no server of {self.place} tells who has which keys: {problem}")

    async def _learn(self, found: Reply, asked: Node) -> bool:
        nodes: list[Node | None] = [None] * SLOTS
        for share, node in shares(found, asked):
            nodes[share.start : share.stop] = [node] * len(share)
        left = set(nodes)
        if left == {None}:
            return False
        self._nodes, self._teller, self._doubted = nodes, asked, set()
        for node in [node for node in self._links if node not in left and node != asked]:
            await self._links.pop(node).close()
        return True

    def _link(self, node: Node) -> Link:
        if node not in self._links:
            self._links[node] = Link(dataclasses.replace(self._doors[0], host=node.host, port=node.port))
        return self._links[node]
