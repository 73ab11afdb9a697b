"""The shop's own visitors come to the running shop, and leave nothing behind that does not add up."""

import asyncio

import pytest

from shoal.load.result import from_json
from shoal.testing import LiveSystem
from shop.load import load

pytestmark = pytest.mark.live

SEED = "1736"
"""By it each journey is among the first nineteen that are begun."""


async def test_visitors_of_the_shop_meet_no_failure_and_the_books_agree(live: LiveSystem) -> None:
    options = ("--rate", "15", "--for", "1.5s", "--think", "0.02", "--patience", "30s", "--seed", SEED, "--json")
    done = await asyncio.to_thread(live.run, "-q", "load", *options)
    found = from_json(done.stdout.encode(), "the output")
    assert {name for name, ends in found.ends.items() if ends.begun} == {journey.name for journey in load.journeys}
    assert {name: (ends.broken, ends.turned_away) for name, ends in found.ends.items()} == dict.fromkeys(
        found.ends, (0, 0)
    )
    assert not found.total.failed, (found.problems, done.stderr)
    assert found.total.cut == 0
    declared = {f"{s.name}.{e.name}" for s in live.plan.system.services for e in s.endpoints if e.exposed}
    asked = {row.name for row in found.operations}
    assert asked <= declared
    assert asked >= {
        "products.browse",
        "products.show_priced",
        "orders.place_order",
        "web.put_into_cart",
        "users.sign_up",
    }
    assert done.returncode == 0, done.stderr
    report = await live.audit(wait=60)
    assert report.held, report.complaints()
