"""Whoever is busy says for how long, and is left alone for so long."""

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shoal.drivers.base import Message
from shoal.errors import ShoalError, Unavailable
from shoal.runtime.consuming.attempts import NONE
from shoal.runtime.consuming.burial import LONGEST_BACKOFF, Burial
from shoal.runtime.consuming.item import Item
from shoal.runtime.failures import LONGEST_ASKED, asked
from shoal.runtime.problems import to_problem

NOW = time.monotonic()


async def due(error: Exception) -> float:
    """Return for how long a message waits after an outage."""
    message = Message(id="1", subject="shop.sold", body=b"")
    item = Item(delivery=cast("Any", SimpleNamespace(message=message)), key="a")
    burial = Burial(cast("Any", None), cast("Any", None), "T_SHOP")
    assert await burial.failed(item, error, NOW) == "retried"
    assert item.attempts == NONE, "which is no attempt"
    return round(item.due - NOW, 6)  # a difference of two large numbers


@pytest.mark.parametrize(("said", "least", "most"), [(0.0, 0.0, 1.0), (60.0, 60.0, 60.1), (1e9, 300.0, 300.1)])
async def test_a_message_waits_as_long_as_was_asked_and_never_for_years(said: float, least: float, most: float) -> None:
    assert least <= await due(Unavailable("busy", after=said)) <= most
    assert LONGEST_BACKOFF < LONGEST_ASKED == 300.0


def test_a_caller_is_told_when_to_come_back() -> None:
    assert to_problem(Unavailable("busy", after=16.2)).headers == {"Retry-After": "17"}
    assert to_problem(Unavailable("busy")).headers == {"Retry-After": "1"}
    assert asked(Unavailable("busy", after=-1.0)) == asked(ShoalError("busy")) == 0.0
