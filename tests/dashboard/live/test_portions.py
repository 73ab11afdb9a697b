"""Whatever a stream, a store or a mailbox holds, a page asks for a portion of it."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shoal import model
from shoal.dashboard.live import events, letters, mail, sagas
from shoal.dashboard.live.letters import Sought
from shoal.drivers.base import Kept, Message, Stream
from shoal.drivers.memory.broker import MemoryBroker
from shoal.drivers.memory.store import MemoryStore
from shoal.local.layout import layout_of
from shoal.local.mailbox.store import FILE, Delivery, Store
from shoal.model import names
from shoal.model.plan import plan
from shoal.model.target import Target
from shoal.runtime.consuming.letters import Letter, letter_message
from shoal.runtime.sagas.instances import SAGAS_TABLE, Instance, to_row

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STORE = model.Store(engine="postgres")


class Counting(MemoryBroker):
    """Counts what is read."""

    read_in_all = 0

    async def read(self, stream: str, above: int, limit: int) -> Sequence[Kept]:
        found = await super().read(stream, above, limit)
        self.read_in_all += len(found)
        return found


@pytest.fixture
async def running() -> Any:
    """Pose as a run of two services, one of which hears the other."""
    published = tuple(model.Event(name=f"till.{name}", key="id", schema={}) for name in ("sold", "closed"))
    till = model.Service(name="till", entry="x:till", store=STORE, publishes=published)
    hears = model.Subscription(event="till.sold.v1", handler="note")
    notes = model.Service(name="notes", entry="x:notes", store=STORE, subscriptions=(hears,))
    made = plan(model.System(name="cafe", services=(till, notes)), Target())
    broker = Counting()
    await broker.declare([Stream(name=one.name, subjects=one.subjects) for one in made.streams], [])
    return SimpleNamespace(plan=made, hears=True, broker=lambda: broker, planned=lambda _: None)


def told(kind: str, number: int) -> Message:
    body = {"specversion": "1.0", "id": f"{kind}-{number}", "source": "/cafe/till", "type": kind, "data": {"n": number}}
    return Message(id=f"{kind}-{number}", subject=names.subject("cafe", kind, 0), body=json.dumps(body).encode())


async def test_of_a_rare_event_a_portion_of_the_stream_is_looked_at_and_the_rest_on_demand(running: Any) -> None:
    broker = running.broker()
    await broker.publish([told("till.closed.v1", number) for number in range(3)])
    await broker.publish([told("till.sold.v1", number) for number in range(5000)])
    found, asked, before = list[str](), 0, 0
    while True:
        broker.read_in_all = 0
        page = await events.latest(running, "till.closed.v1", 2, before)
        assert broker.read_in_all <= events.LOOKED_AT
        found, asked = [*found, *(one.id for one in page.items)], asked + 1
        if page.next is None:
            break
        before = page.next
    assert found == ["till.closed.v1-2", "till.closed.v1-1", "till.closed.v1-0"]
    assert asked == 4


async def test_pages_of_a_frequent_event_follow_each_other_without_a_gap(running: Any) -> None:
    await running.broker().publish([told("till.sold.v1", number) for number in range(450)])
    first = await events.latest(running, "till.sold.v1", 200)
    second = await events.latest(running, "till.sold.v1", 200, first.next or 0)
    third = await events.latest(running, "till.sold.v1", 200, second.next or 0)
    assert [one.data["n"] for page in (first, second, third) for one in page.items] == [*range(449, -1, -1)]
    assert third.next is None


async def test_of_many_letters_the_oldest_are_looked_at_and_the_latest_of_these_come_first(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "MOST", 4)
    dead = [
        Letter(
            service="notes", consumer="notes-0", stream="CAFE_TILL", sequence=n, subject="s", message=f"m{n}",
            error="odd" if n % 2 else "even", at=NOW.replace(minute=n), type="till.sold.v1",
        )
        for n in range(6)
    ]  # fmt: skip
    await running.broker().publish([letter_message("cafe", one, told("till.sold.v1", one.sequence)) for one in dead])
    shown = await letters.listed(running, Sought(limit=2))
    assert [one["sequence"] for one in shown.items] == [3, 2]
    assert (shown.total, shown.more) == (4, True)
    odd = await letters.listed(running, Sought(text="ODD"))
    assert [one["sequence"] for one in odd.items] == [3, 1]
    assert await letters.counted(running) == {("notes", "till.sold.v1"): 4}
    monkeypatch.setattr(letters, "MOST", 7)
    assert not (await letters.listed(running, Sought())).more


SAGAS: dict[str, dict[str, Any]] = {
    "running": {"status": "running"},
    "retrying": {"status": "running", "tries": 2},
    "undone later": {"status": "compensating", "tries": 1},
    "compensating": {"status": "compensating"},
    "parked": {"status": "parked", "tries": 8},
    "completed": {"status": "completed"},
    "compensated": {"status": "compensated", "tries": 1},
}
"""What is said of a saga, by a key of it."""


async def test_all_sagas_are_counted_and_a_portion_of_them_is_told(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    async with store.session() as session:
        for minute, (key, more) in enumerate(SAGAS.items()):
            at: dict[str, Any] = dict.fromkeys(("due", "deadline", "started", "updated"), NOW.replace(minute=minute))
            saga = Instance(id=f"go/{key}", saga="go", key=key, part=0, step="go", state='{"secret": 1}', **at, **more)
            session.put(SAGAS_TABLE, to_row(saga))

    @asynccontextmanager
    async def stores(*_: object) -> AsyncIterator[list[tuple[Any, MemoryStore]]]:
        yield [(SimpleNamespace(name="till"), store)]

    monkeypatch.setattr("shoal.operating.sagas.stores", stores)
    told = await sagas.listed(running, limit=3)
    assert told["counts"] == dict.fromkeys(sagas.STATES, 1) | {"retrying": 2}
    assert ([one["key"] for one in told["items"]], told["more"]) == (["compensated", "completed", "parked"], True)
    assert all("state" not in one for one in told["items"])
    for state in sagas.STATES:
        found = await sagas.listed(running, (state,))
        assert {one["shown"] for one in found["items"]} == {state}
        assert (len(found["items"]), found["more"]) == (told["counts"][state], False)
    both = await sagas.listed(running, ("retrying", "parked"), limit=2)
    assert ([one["key"] for one in both["items"]], both["more"]) == (["parked", "undone later"], True)
    assert (await sagas.listed(running, ("nothing",)))["items"] == []


def test_mails_are_read_again_when_one_has_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live: Any = SimpleNamespace(run=lambda: None, where=SimpleNamespace(root=tmp_path))
    assert mail.listed(live)["items"] == []
    file = layout_of(tmp_path).data / "mailbox" / FILE
    file.parent.mkdir(parents=True)
    box = Store(file)
    for subject in ("first", "second"):
        content = f"Subject: {subject}\n\nhello".encode()
        box.add(Delivery(sender="a@b.example", to=("c@d.example",), content=content, at="2026-01-01"))
    assert [one["subject"] for one in mail.listed(live, limit=1)["items"]] == ["second"]
    opened = list[Path]()

    def noted(place: Path) -> Store:
        opened.append(place)
        return Store(place)

    monkeypatch.setattr(mail, "Store", noted)
    assert [one["subject"] for one in mail.listed(live, "FIRST")["items"]] == ["first"]
    assert opened == [], "nothing has changed"
    box.add(Delivery(sender="a@b.example", to=(), content=b"Subject: third\n\nhi", at="2026-01-01"))
    assert mail.listed(live)["total"] == 3
    assert opened == [file]
