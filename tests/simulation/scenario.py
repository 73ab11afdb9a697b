"""What clients do to the simulated shop, and what must hold afterwards."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from shoal.runtime import relay
from shoal.testing.http import Response
from shoal.testing.simulation.domain import Domain
from shoal.testing.simulation.faults import Faults, draw
from shoal.testing.simulation.world import World
from tests.simulation import gifts, invariants, shop
from tests.simulation.fakes import Books, CountingProvider, FewMishaps
from tests.simulation.outside import Mishaps, Provider
from tests.simulation.wishes import Wish

CLIENTS = 3
ORDERS = 3
CHANGES = 4
GIFTS = 1
TRIES = 5
WINDOW = 4.0
"""Virtual seconds in which clients come and faults happen."""

DRAIN = 300.0
"""Virtual seconds in which everything must come to rest afterwards."""

PROJECTED = 60.0
"""Virtual seconds within which the read model has then caught up."""

POISON = 0.05
"""How often a change is one that no handler can take."""


class Shopping:
    """A `Scenario`: clients order and change carts while everything fails."""

    declared = shop.system
    poison = POISON

    def __init__(self) -> None:
        self.books = Books()
        self.wishes: list[Wish] = []
        self._mishaps: FewMishaps | None = None

    def faults(self, seed: int, random: Random) -> Faults:
        """Draw what goes wrong, and how often idle relays look, which is most of what an idle system does."""
        relay.SHORTEST = random.choice((0.02, 0.2, 0.5, 0.5))
        services = tuple(service.name for service in self.declared.services)
        return draw(random, services, ("SIM_ORDERS", "SIM_STOCK", "SIM_PAYMENTS"), WINDOW)

    def replicas(self, random: Random) -> Mapping[str, int]:
        """Draw one or two replicas of each service."""
        return {service.name: random.choice((1, 2)) for service in self.declared.services}

    def overrides(self, world: World, domain: Domain) -> Mapping[Any, Any]:
        """Give a process the provider and its mishaps."""
        if self._mishaps is None:
            self._mishaps = FewMishaps(world.chance)
        return {Provider: CountingProvider(self.books, world.chance), Mishaps: self._mishaps}

    async def play(self, world: World) -> None:
        """Let clients shop, then let everything come to rest."""
        random = Random(world.random.getrandbits(64))
        clients = [self._client(world, number, random) for number in range(CLIENTS)]
        await asyncio.gather(*clients)
        await asyncio.sleep(max(0.0, WINDOW - world.loop.time()))
        await world.calm()
        if any(fault.kind in ("stream-gone", "broker-older") for fault in world.faults.schedule):
            await asyncio.sleep(relay.COMPARE_SECONDS + 1)  # a relay with nothing to publish looks now and then
        await world.settle(within=DRAIN)
        await self._all_ends(world)
        await world.settle(within=DRAIN)

    async def check(self, world: World) -> Sequence[str]:
        """Say what does not hold."""
        return await invariants.violations(world, self.wishes, self.books)

    async def _all_ends(self, world: World) -> None:
        async with asyncio.timeout(DRAIN):
            while await invariants.under_way(world):
                await asyncio.sleep(0.5)
        with contextlib.suppress(TimeoutError):  # what it lacks is told by the check
            async with asyncio.timeout(PROJECTED):
                while await invariants.behind(world):
                    await asyncio.sleep(0.5)

    async def _client(self, world: World, number: int, random: Random) -> None:
        wishes = ["order"] * ORDERS + ["change"] * CHANGES + ["gift"] * GIFTS
        random.shuffle(wishes)
        for turn, kind in enumerate(wishes):
            await asyncio.sleep(random.uniform(0.0, 2 * WINDOW / len(wishes)))
            wish = Wish(token=f"c{number}-{turn}", kind=kind, poison=kind == "change" and random.random() < self.poison)
            self.wishes.append(wish)
            await self._insist(world, wish, random)

    async def _insist(self, world: World, wish: Wish, random: Random) -> None:
        """Repeat a wish under one key until there is a definite answer, or patience ends."""
        path, body = self._spelled(wish, random)
        for _ in range(TRIES):
            answer: Response = await world.post(path, json=body, headers={"idempotency-key": wish.token})
            wish.answers.append(answer.status)
            world.trace.note("answer", wish.token, wish.kind, answer.status)
            if answer.status < 300:
                return
            await asyncio.sleep(random.uniform(0.1, 1.0))

    def _spelled(self, wish: Wish, random: Random) -> tuple[str, object]:
        if wish.kind == "change":
            return f"/carts/{random.choice('ab')}/changes", shop.Change(token=wish.token, poison=wish.poison)
        sku, pieces = random.choice(shop.SKUS), random.randint(1, 6)
        if wish.kind == "gift":
            return "/gifts", gifts.Gift(token=wish.token, sku=sku, pieces=pieces, unwanted=random.random() < 0.5)
        card = shop.BAD_CARD if random.random() < 0.25 else "good"
        return "/orders", shop.NewOrder(token=wish.token, sku=sku, pieces=pieces, card=card)
