"""What may be worked on of what is in hand: never two of a key at a time, and never one before another of its key."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.drivers.base import Message
from shoal.runtime.consuming.hand import AHEAD, MOST_BYTES, Hand
from shoal.runtime.consuming.item import Item


@dataclass
class Given:
    """A delivery of which nothing but the message matters."""

    sequence: int
    body: bytes = b""
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    message: Message = field(init=False)

    def __post_init__(self) -> None:
        self.message = Message(id=str(self.sequence), subject="s", body=self.body)


def item(sequence: int, key: str = "k", *, shares: bool = True, body: bytes = b"") -> Item:
    subscriber: Any = SimpleNamespace(batch=0, plan=SimpleNamespace(only_store=shares))
    delivery: Any = Given(sequence, body)
    return Item(delivery=delivery, key=key, subscriber=subscriber)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=25), st.integers())
def test_every_key_keeps_its_order(messages: list[tuple[str, bool]], seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a test
    hand, begun, now = Hand(100), list[Item](), 0.0
    for number, (key, shares) in enumerate(messages):
        hand.add(item(number, key, shares=shares))
    working: list[list[Item]] = []
    while len(hand):
        shared, single = hand.ready(now, chance.randrange(5))
        taken = [some for some in (shared, *([one] for one in single)) if some]
        for some in taken:
            for one in some:
                assert not one.busy
                assert all(busy.key != one.key for work in working for busy in work)
                one.busy = True
            working.append(some)
        if not working:
            now += 1
            continue
        done = working.pop(chance.randrange(len(working)))
        for one in done:
            one.busy = False
        if chance.random() < 0.7:
            for one in done:
                hand.remove(one)
            begun += done
        else:
            done[0].due = now + 1
    for key in "abc":
        assert [int(one.id) for one in begun if one.key == key] == [n for n, (k, _) in enumerate(messages) if k == key]


def test_one_that_failed_shares_no_transaction_and_holds_back_only_its_key() -> None:
    hand = Hand(10)
    failed, behind, other = item(1, "a"), item(2, "a"), item(3, "b")
    for one in (failed, behind, other):
        hand.add(one)
    failed.outages, failed.due = 1, 5.0
    assert hand.ready(4.0, 10) == ([other], [])
    assert hand.soonest(4.0) == 5.0
    assert hand.ready(5.0, 10) == ([other], [failed])


def test_the_latest_delivery_from_each_place_is_the_one_to_be_answered() -> None:
    one, again, elsewhere, once_more = item(1), item(1).delivery, item(2).delivery, item(2).delivery
    for delivery in (elsewhere, again, once_more):
        one.repeated(delivery)
    assert (one.delivery, *one.others) == (again, once_more)
    assert one.delivery is again
    assert [*map(id, one.others)] == [id(once_more)]


def test_it_is_full_by_number_and_by_size() -> None:
    hand = Hand(2)
    large = item(1, body=b"x" * MOST_BYTES)
    hand.add(large)
    assert hand.room == 0
    hand.remove(large)
    hand.remove(large)
    assert hand.room == 2
    for number in (1, 2):
        hand.add(item(number))
    assert hand.room == 0


def test_those_that_wait_for_a_failing_one_leave_room_for_others() -> None:
    hand = Hand(1000)
    for number in range(AHEAD):
        hand.add(item(number, "a"))
    assert hand.room == 0
    hand.get("0").due = 5.0  # type: ignore[union-attr]
    hand.ready(1.0, 10)
    assert hand.room == AHEAD
    hand.ready(5.0, 10)
    assert hand.room == 0
