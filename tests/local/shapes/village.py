"""Two services without engines: one that asks, and one in two replicas that answers as its mood is."""

import os
from pathlib import Path
from typing import Protocol

import msgspec

from shoal import Deadline, Problem, Service, System, anyone, contract, fallbacks, get, internal

AILING = Path(__file__).parent / "ailing"
"""While it is there, `back` answers 500."""


class Answer(msgspec.Struct):
    """Who answered, and how much time was left."""

    pid: int
    left: float
    stand_ins: list[str] = []


@contract("back")
class BackApi(Protocol):
    """What may be asked."""

    @get("/answer", access=internal, timeout=1.5)
    async def answer(self) -> Answer:
        """Answer."""
        ...


@contract("back")
class SecretApi(Protocol):
    """What nobody declared to ask."""

    @get("/secret", access=internal)
    async def secret(self) -> str:
        """Tell."""
        ...


@contract("front")
class FrontApi(Protocol):
    """What anybody may ask."""

    @get("/ask", access=anyone, timeout=3.0)
    async def ask(self) -> Answer:
        """Ask on."""
        ...


front = Service("front", contracts=[FrontApi])
back = Service("back", contracts=[BackApi, SecretApi])


@back.implements(BackApi.answer)
async def answer(deadline: Deadline) -> Answer:
    """Answer, when well."""
    if AILING.exists():
        raise Problem(500, "ailing")
    return Answer(os.getpid(), deadline.remaining())


@back.implements(SecretApi.secret)
async def secret() -> str:
    """Tell whoever was let in."""
    return "42"


@front.fallback(BackApi.answer, volume_threshold=3, reset_timeout=0.2)
async def nobody() -> Answer:
    """Answer for somebody who does not."""
    return Answer(0, 0.0)


@front.implements(FrontApi.ask)
async def ask(back: BackApi) -> Answer:
    """Ask on."""
    with fallbacks() as used:
        found = await back.answer()
    found.stand_ins = [each.kind for each in used]
    return found


system = System("village", services=[front, back])
