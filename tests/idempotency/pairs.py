"""Requests under one key at the same time, and what may come of them: one effect, one answer."""

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import msgspec

OTHER_BODY = 0.2
"""Share of pairs in which the second request asks for something else."""

OUTSIDE = 0.3
"""Share of pairs with an effect outside of the store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    replayed: bool


Door = Callable[[str, str, bytes], Awaitable[Answer]]
"""Sends ``POST path`` with a key and a body; repeats what got no answer or 503, as clients do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Requests under one key."""

    key: str
    path: str
    bodies: tuple[bytes, ...]

    @property
    def mark(self) -> str:
        """The same in all bodies."""
        return self.key


@dataclass(slots=True)
class Tally:
    """What was seen."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    amounts: dict[str, int] = field(default_factory=dict)
    """Mark → amount of the answer."""


def pair(chance: random.Random) -> Group:
    """Make two requests under a new key."""
    other = chance.random() < OTHER_BODY
    return group(chance, [1, 2] if other else [1, 1])


def group(chance: random.Random, amounts: Sequence[int]) -> Group:
    """Make requests under a new key that ask for these amounts."""
    key = uuid.UUID(int=chance.getrandbits(128)).hex
    path = "/charges" if chance.random() < OUTSIDE else "/sales"
    bodies = tuple(msgspec.json.encode({"mark": key, "amount": amount}) for amount in amounts)
    return Group(key=key, path=path, bodies=bodies)


async def play(groups: Sequence[Group], door: Door, *, at_a_time: int) -> Tally:
    """Send the requests of each group at the same time, some groups at a time."""
    tally, gate = Tally(), asyncio.Semaphore(at_a_time)

    async def one(group: Group) -> None:
        async with gate:
            answers = await asyncio.gather(*(door(group.path, group.key, body) for body in group.bodies))
        judge(group, answers, tally)

    await asyncio.gather(*(one(group) for group in groups))
    return tally


def judge(group: Group, answers: Sequence[Answer], tally: Tally) -> None:
    """Hold the answers to the promise: the first request's for all that asked the same, 422 for the others."""
    done = [(body, answer) for body, answer in zip(group.bodies, answers, strict=True) if answer.status == 201]
    first = {body for body, _ in done}
    for body, answer in zip(group.bodies, answers, strict=True):
        tally.answers[str(answer.status)] += 1
        if answer.status != 201 and not (answer.status == 422 and body not in first):
            tally.wrong.append(f"{group.key}: {answer.status} {answer.body[:200]!r}")
    if len(first) != 1 or len({answer.body for _, answer in done}) != 1:
        tally.wrong.append(f"{group.key}: {len(done)} successes with {len(first)} bodies")
        return
    tally.answers["replayed"] += sum(answer.replayed for _, answer in done)
    tally.amounts[group.mark] = msgspec.json.decode(done[0][1].body)["amount"]
