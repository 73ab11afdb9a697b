"""The short form of the torture: everything is killed once and the broker wound back, with poison on every stream."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from shoal.audit import Report
from shoal.audit.subject import Letter
from shoal.testing import LiveSystem
from tests.live.shopping import TERMINAL, require_nats, until
from tests.torture.clients import Crowd
from tests.torture.faults import Field
from tests.torture.letters import letters
from tests.torture.poison import KINDS, STRANGE, Poison, brew, plant
from tests.torture.rounds import Plan, Round, play
from tests.torture.stage import stage

pytestmark = pytest.mark.live

SEED = 195
SOON = tuple(kind for kind in KINDS if kind not in STRANGE)
"""Kinds of poison that are given up within half a minute."""

VICTIMS = (
    "orders-0", "payments-0", "inventory-0", "products-0", "notifications-0", "users-0",
    "relay", "nats", "postgres", "envoy", "payment-provider", "mailbox",
)  # fmt: skip

ENDED = (*TERMINAL, "RETURNING", "RETURNED")
"""How an order stands that came to its end; the crowd gives some back at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What became of the shop."""

    planted: frozenset[Letter]
    neighbours: list[str]
    """How the orders beside the poison ended."""
    unburied: frozenset[Letter]
    """Poison that was still being tried then."""
    kills: Round
    wound_back: Round
    corrected: Report
    """After one letter was corrected and sent again."""


@pytest.fixture(scope="module")
def played(live: LiveSystem, tmp_path_factory: pytest.TempPathFactory) -> Played:
    require_nats(live)
    return asyncio.run(_play(live, tmp_path_factory.mktemp("copies")))


async def _play(live: LiveSystem, copies: Path) -> Played:
    async with stage(live, copies, SEED) as (field, crowd):
        before = await letters(field)
        poison = [brew(field.subject.plan.system, kind) for kind in SOON]
        planted = frozenset[Letter]().union(*(each.letters for each in poison))
        neighbours = await _beside(poison, field, crowd)
        unburied = planted - await letters(field)
        dead = before | planted
        first = Plan(number=1, seed=SEED, orders=100, seconds=10.0, faults=VICTIMS)
        kills = await play(first, crowd, field, dead)
        second = Plan(number=2, seed=SEED, orders=60, seconds=7.0, faults=("restore",), after=4.0)
        wound_back = await play(second, crowd, field, dead)
        cured = await _cure(live, poison, next(o.body["order_id"] for o in crowd.operations if o.status == 201))
        corrected = await live.audit(wait=30, expected=dead - cured, operations=crowd.operations)
        thrown = await _dlq(live, "purge", "--all", "--yes")  # others audit this shop, too
        assert thrown.returncode == 0, thrown.stderr
    return Played(
        planted=planted,
        neighbours=neighbours,
        unburied=unburied,
        kills=kills,
        wound_back=wound_back,
        corrected=corrected,
    )


async def _cure(live: LiveSystem, poison: list[Poison], order_id: str) -> frozenset[Letter]:
    """Let what always raised be about an order that there is, and send it again."""
    (ill,) = [each for each in poison if each.kind == "always-raises"]
    edited = await _dlq(live, "edit", await _id(live, ill), "--data", json.dumps({"order_id": order_id}))
    assert edited.returncode == 0, edited.stderr
    replayed = await _dlq(live, "replay", await _id(live, ill))
    assert replayed.returncode == 0, replayed.stderr
    return ill.letters


async def _id(live: LiveSystem, ill: Poison) -> str:
    """Find the letter of a message, by which name the operator knows it."""
    listed = json.loads((await _dlq(live, "list", "--service", "orders", "--json")).stdout)
    (name,) = [letter["id"] for letter in listed if letter["message"] == ill.message.id]
    return str(name)


async def _dlq(live: LiveSystem, *arguments: str) -> CompletedProcess[str]:
    return await asyncio.to_thread(live.run, "dlq", *arguments)


async def _beside(poison: list[Poison], field: Field, crowd: Crowd) -> list[str]:
    """Plant the poison, then order, and wait for the orders to end."""
    assert field.subject.broker is not None
    await plant(field.subject.broker, poison)
    placed = len(crowd.operations)
    await crowd.order(12, 0.5)
    orders = [(o.body["order_id"], o.caller) for o in crowd.operations[placed:] if o.status == 201]
    return [await _end(field.shop, crowd, order_id, caller) for order_id, caller in orders]


async def _end(shop: LiveSystem, crowd: Crowd, order_id: str, caller: str) -> str:
    token = next(customer.token for customer in crowd.customers if customer.user_id == caller)

    async def ended() -> str | None:
        found = (await shop.get(f"/orders/{order_id}", token=token)).json()["status"]
        return str(found) if found in ENDED else None

    return await until(ended, within=30, what=f"order {order_id} to end")


def test_poison_keeps_no_neighbour_waiting(played: Played) -> None:
    assert played.neighbours
    assert set(played.neighbours) <= set(ENDED)
    assert played.unburied, "the orders ended while poison was still being tried"


def test_everything_is_killed_once_and_every_promise_holds(played: Played) -> None:
    assert {blow.fault for blow in played.kills.blows} == set(VICTIMS)
    assert played.kills.held, "\n".join(played.kills.complaints())
    assert played.kills.acknowledged >= 80


def test_the_broker_loses_its_latest_writes_and_every_promise_holds(played: Played) -> None:
    assert [blow.fault for blow in played.wound_back.blows] == ["restore"]
    assert played.wound_back.held, "\n".join(played.wound_back.complaints())


@pytest.mark.parametrize("code", ["I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12"])
def test_each_promise_was_checked(played: Played, code: str) -> None:
    outcomes = [outcome for outcome in played.wound_back.outcomes if outcome.code == code]
    assert outcomes
    assert {outcome.state for outcome in outcomes} == {"held"}


def test_dead_letters_are_exactly_what_was_planted(played: Played) -> None:
    (letters,) = [outcome for outcome in played.kills.outcomes if outcome.code == "I10"]
    assert letters.state == "held"
    assert letters.counts["letters"] >= len(played.planted) >= len(SOON)


def test_a_letter_whose_cause_is_removed_is_handled(played: Played) -> None:
    assert played.corrected.held, "\n".join(played.corrected.complaints())
    (before,) = [outcome for outcome in played.wound_back.outcomes if outcome.code == "I10"]
    (after,) = played.corrected.outcome("I10")
    assert after.counts["letters"] == before.counts["letters"] - 1
