"""Dead letters in the hands of the operator: nothing of them is lost, and what is sent again happens once."""

import linecache
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal import Postgres, Service, ShoalError, System, Transaction, anyone, contract, event, internal, post, record
from shoal.drivers.base import Message, Query
from shoal.runtime.consuming import graves
from shoal.runtime.consuming.attempts import MOST_TRIES
from shoal.runtime.consuming.graves import Grave
from shoal.runtime.consuming.letters import HEADER, Letter, again_message, letter_message, letter_of
from shoal.runtime.consuming.rehearsal import Rehearsal, rehearse
from shoal.runtime.tables import table_of
from tests.runtime.world import World, running


@event("shop.sold", key="item")
class Sold(msgspec.Struct, frozen=True):
    item: str
    number: int


@event("shop.returned", key="item", mode="binary")
class Returned(msgspec.Struct, frozen=True):
    item: str


@event("notes.taken", key="item")
class Taken(msgspec.Struct, frozen=True):
    item: str


@record("notes", key="item")
class Note(msgspec.Struct, frozen=True, kw_only=True):
    item: str
    numbers: list[int]


@contract("shop")
class ShopApi(Protocol):
    @post("/refunds", access=internal)
    async def refund(self, item: str) -> None: ...


@dataclass
class Post:
    """Something outside."""

    sent: list[str] = field(default_factory=list)

    async def send(self, item: str, *, urgent: bool = False) -> None:
        self.sent.append(item)


shop = Service("shop", store=Postgres(), publishes=[Sold, Returned], contracts=[ShopApi])
notes = Service("notes", store=Postgres(), publishes=[Taken])
mails = Service("mails", store=Postgres())
system = System("sys", services=[shop, notes, mails])
broken: set[str] = set()


@shop.post("/sales", access=anyone)
async def sell(sold: Sold, tx: Transaction) -> None:
    tx.publish(sold)


@shop.post("/returns", access=anyone)
async def take_back(returned: Returned, tx: Transaction) -> None:
    tx.publish(returned)


@shop.implements(ShopApi.refund)
async def refund(item: str) -> None:
    raise AssertionError("nobody may get here")


@notes.on(Sold, attempts=1)
async def note(event: Sold, tx: Transaction) -> None:
    before = await tx.get(Note, event.item, lock=True)
    tx.put(Note(item=event.item, numbers=[*(before.numbers if before else ()), event.number]))
    tx.publish(Taken(event.item))
    if event.item in broken:
        raise ValueError(f"{event.item} cannot be noted")


@notes.on(Returned, attempts=1)
async def strike(event: Returned, tx: Transaction) -> None:
    if event.item in broken:
        raise ValueError("not now")
    tx.delete(Note, event.item)


@mails.provide
def post_office() -> Post:
    return Post()


@mails.on(Sold, attempts=1)
async def mail(event: Sold, tx: Transaction, post: Post) -> None:
    tx.put(Note(item=event.item, numbers=[]))
    if event.item in broken:
        raise ValueError("no stamps")
    await post.send(event.item, urgent=True)


@mails.on(Returned, attempts=1)
async def pay_back(event: Returned, shop: ShopApi) -> None:
    if event.item in broken:
        raise ValueError("no money")
    await shop.refund(event.item)


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    broken.clear()
    async with running(system, tmp_path) as world:
        yield world


async def letters(world: World, service: str = "notes") -> list[Grave]:
    return await graves.graves(world.broker, "sys", service)


async def fail(world: World, item: str, number: int = 1) -> None:
    """Let the event of an item become a dead letter wherever it is heard."""
    broken.add(item)
    await world.post("/sales", json=Sold(item, number))
    await world.settle()


async def noted(world: World) -> dict[str, list[int]]:
    async with world.stores["notes"].session() as session:
        rows = await session.find(table_of(Note).table, Query())
    return {str(row["item"]): msgspec.json.decode(str(row["numbers"])) for row in rows}


async def dry(world: World, grave: Grave) -> Rehearsal:
    service = {s.name: s for s in (shop, notes, mails)}[grave.letter.service]
    config = world.hosts[service.name].config
    return await rehearse(service, config, world.stores[service.name].peer(), grave.message)


async def test_a_letter_is_the_message_as_it_was_and_why_it_was_given_up(world: World) -> None:
    await fail(world, "a")
    (sent,) = world.broker.log("SYS_SHOP")
    (grave,) = await letters(world)
    assert grave.message.body == sent.body
    letter = grave.letter
    assert (letter.message, letter.subject, letter.sequence) == (sent.id, sent.subject, 1)
    assert (letter.event, letter.type, letter.key) == (sent.id, "shop.sold.v1", "a")
    assert letter.error == "ValueError: a cannot be noted"
    assert "test_letters.py" in letter.stack[-1]
    assert "raise ValueError" in letter.stack[-1]
    assert letter.trace
    assert letter.made is not None


async def test_a_letter_sent_again_is_handled_by_its_consumer_only_and_once(world: World) -> None:
    await fail(world, "a")
    broken.clear()
    (grave,) = await letters(world)
    for _ in range(3):  # as after a crash between sending and taking away
        await world.broker.publish([again_message("sys", grave.letter, grave.message)])
        world.clock.advance(200)
    await graves.replay(world.broker, "sys", grave)
    await world.settle()
    assert await noted(world) == {"a": [1]}
    assert not await letters(world)
    assert len(await letters(world, "mails")) == 1
    assert len([m for m in world.broker.log("SYS_NOTES") if b"notes.taken" in m.body]) == 1


async def test_what_fails_again_is_one_letter_again_with_its_latest_history(world: World) -> None:
    await fail(world, "a")
    (first,) = await letters(world)
    await graves.replay(world.broker, "sys", first)
    await world.settle()
    (second,) = await letters(world)
    assert second.id != first.id
    assert (second.letter.message, second.letter.sequence) == (first.letter.message, first.letter.sequence)
    assert second.letter.again == 1
    assert [one.error for one in second.letter.history] == ["ValueError: a cannot be noted"] * 2
    for _ in range(MOST_TRIES):
        await graves.replay(world.broker, "sys", second)
        await world.settle()
        (second,) = await letters(world)
    assert len(second.letter.history) == MOST_TRIES
    broken.clear()
    await graves.replay(world.broker, "sys", second)
    await world.settle()
    assert await noted(world) == {"a": [1]}
    assert not await letters(world)


async def test_an_original_that_comes_once_more_after_its_letter_was_sent_again_does_nothing(world: World) -> None:
    await fail(world, "a")
    broken.clear()
    (grave,) = await letters(world)
    await graves.replay(world.broker, "sys", grave)
    await world.settle()
    (sent,) = world.broker.log("SYS_SHOP")
    world.clock.advance(200)
    await world.broker.publish([sent])
    await world.settle()
    assert await noted(world) == {"a": [1]}
    assert not await letters(world)


async def test_an_edited_letter_keeps_its_original_and_is_sent_as_it_was_edited(world: World) -> None:
    await fail(world, "a", 1)
    (grave,) = await letters(world)
    changed = graves.edited(grave, b'{"item": "b", "number": 7}', notes)
    await graves.rewrite(world.broker, "sys", grave, changed)
    (after,) = await letters(world)
    assert after.letter.original == grave.message.body
    assert msgspec.json.decode(graves.editable(after)) == {"item": "b", "number": 7}
    twice = graves.edited(after, b'{"item": "b", "number": 8}', notes)
    await graves.rewrite(world.broker, "sys", after, twice)
    (after,) = await letters(world)
    assert after.letter.original == grave.message.body
    await graves.replay(world.broker, "sys", after)
    await world.settle()
    assert await noted(world) == {"b": [8]}


async def test_an_edit_that_broke_off_leaves_the_edited_one_in_force(world: World) -> None:
    await fail(world, "a")
    (grave,) = await letters(world)
    letter = msgspec.structs.replace(grave.letter, original=grave.message.body)
    await world.broker.publish(
        [letter_message("sys", letter, graves.edited(grave, b'{"item": "b", "number": 7}', notes))]
    )
    world.clock.advance(200)
    await world.broker.publish([letter_message("sys", grave.letter, grave.message)])  # and the first once more
    (found,) = await letters(world)
    assert msgspec.json.decode(graves.editable(found))["item"] == "b"
    assert len(found.places) == 3
    broken.clear()
    await graves.replay(world.broker, "sys", found)
    await world.settle()
    assert await noted(world) == {"b": [7]}
    assert not await letters(world)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b'{"item": 1, "number": 7}', "Expected `str`, got `int` - at `$.item`"),
        (b'{"item": "b"}', "missing required field `number`"),
        (b"{", "no JSON"),
        (b'{"item": "' + b"x" * 300_000 + b'", "number": 1}', "an event may have 262144"),
    ],
)
async def test_an_edit_that_no_handler_would_take_is_refused(world: World, text: bytes, said: str) -> None:
    await fail(world, "a")
    (grave,) = await letters(world)
    with pytest.raises(ShoalError) as caught:
        graves.edited(grave, text, notes)
    assert said in caught.value.message


async def test_what_was_no_event_can_be_made_one(world: World) -> None:
    await world.broker.publish([Message(id="x", subject="sys.event.shop.sold.v1.0", body=b"\xff{")])
    await world.settle()
    (grave,) = await letters(world)
    assert graves.editable(grave) == b"\xff{"
    assert "not a CloudEvent" in grave.letter.error
    with pytest.raises(ShoalError, match="no event"):
        graves.edited(grave, b'{"item": "c", "number": 1}', notes)
    whole = {
        "specversion": "1.0",
        "id": "n",
        "source": "/x",
        "type": "shop.sold.v1",
        "data": {"item": "c", "number": 1},
    }
    changed = graves.edited(grave, msgspec.json.encode(whole), notes)
    await graves.rewrite(world.broker, "sys", grave, changed)
    (grave,) = await letters(world)
    assert grave.letter.original == b"\xff{"
    await graves.replay(world.broker, "sys", grave)
    await world.settle()
    assert await noted(world) == {"c": [1]}


async def test_binary_events_keep_their_headers(world: World) -> None:
    broken.add("a")
    await world.post("/returns", json=Returned("a"))
    await world.settle()
    (sent,) = world.broker.log("SYS_SHOP")
    (grave,) = await letters(world)
    assert {k: v for k, v in grave.message.headers.items() if k != HEADER} == dict(sent.headers)
    changed = graves.edited(grave, b'{"item": "b"}', notes)
    await graves.rewrite(world.broker, "sys", grave, changed)
    (grave,) = await letters(world)
    assert grave.message.body == b'{"item": "b"}'
    await graves.replay(world.broker, "sys", grave)
    await world.settle()
    assert not await letters(world)


async def test_what_is_thrown_away_does_not_come_back(world: World) -> None:
    await fail(world, "a")
    await world.broker.publish([Message(id="x", subject="sys.event.shop.sold.v1.0", body=b"{")])
    await world.settle()
    sent = world.broker.log("SYS_SHOP")
    for grave in await letters(world):
        await graves.purge(world.broker, world.stores["notes"], "sys", grave)
    broken.clear()
    world.clock.advance(200)
    await world.broker.publish(sent)
    await world.settle()
    assert not await letters(world)
    assert await noted(world) == {}


async def test_a_dry_run_shows_what_would_happen_and_does_nothing(world: World) -> None:
    await world.post("/sales", json=Sold("a", 1))
    await world.settle()
    await fail(world, "a", 2)
    broken.clear()
    (grave,) = await letters(world)
    found = await dry(world, grave)
    assert found.succeeds
    assert found.handler == "note"
    (change,) = found.changes
    assert (change.table, change.key) == ("notes", "a")
    assert change.before is not None
    assert change.after is not None
    assert (change.before["numbers"], change.after["numbers"]) == ("[1]", "[1,2]")
    assert [(one.type, one.key, bytes(one.data)) for one in found.announced] == [
        ("notes.taken.v1", "a", b'{"item":"a"}')
    ]
    assert await noted(world) == {"a": [1]}
    assert len(world.broker.log("SYS_NOTES")) == 1
    assert len(await letters(world)) == 1


async def test_a_dry_run_says_at_which_line_a_handler_would_fail(world: World) -> None:
    await fail(world, "a")
    (grave,) = await letters(world)
    found = await dry(world, grave)
    assert not found.succeeds
    assert found.error == "ValueError: a cannot be noted"
    file, _, line = found.where.rpartition(":")
    assert linecache.getline(file, int(line)).strip().startswith("raise ValueError")


async def test_a_dry_run_reaches_nothing_outside(world: World) -> None:
    sent: Any = world.hosts["mails"]._values[Post].sent
    await fail(world, "a")
    await world.post("/returns", json=Returned("a"))
    await world.settle()
    broken.clear()
    mailing, paying = [await dry(world, grave) for grave in await letters(world, "mails")]
    assert mailing.withheld == "Post.send('a', urgent=True)"
    assert [change.key for change in mailing.changes] == ["a"]
    assert paying.withheld.startswith("POST /refunds?item=a of service shop")
    assert not sent


async def test_a_dry_run_of_what_was_handled_says_so(world: World) -> None:
    await fail(world, "a")
    broken.clear()
    (grave,) = await letters(world)
    await world.broker.publish([again_message("sys", grave.letter, grave.message)])
    await world.settle()
    found = await dry(world, grave)
    assert found.already
    assert found.succeeds


text = st.text(st.characters(codec="utf-8"), max_size=40)


@given(text, text, st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True), text, max_size=3))
def test_letters_of_anything_can_be_written_and_read(message: str, error: str, headers: dict[str, str]) -> None:
    letter = Letter(
        service="s", consumer="c", stream="S", sequence=1, subject="a", message=message, error=error,
        at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    written = letter_message("sys", letter, Message(id=message, subject="a", body=b"\x00\xff", headers=headers))
    for value in (written.id, *written.headers.values(), *written.headers):
        assert not set(map(chr, [*range(32), 127])) & set(value)
    read = letter_of(written)
    assert read is not None
    assert msgspec.structs.replace(read, headers={}) == letter
    rest = {k: v for k, v in written.headers.items() if k != HEADER} | dict(read.headers)
    assert rest == {k: v for k, v in headers.items() if k != HEADER}
