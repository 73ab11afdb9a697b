"""Events of older versions are folded by the handlers of newer ones, live as in a rebuild."""

import msgspec
import pytest

from shoal import Postgres, ReadModel, Service, event, record, upcast
from shoal.drivers.base import Query
from shoal.drivers.memory import MemoryStore
from shoal.errors import DeclarationError
from shoal.runtime.projections import fold, journal
from shoal.runtime.projections.fold import compile_fold
from shoal.runtime.projections.rebuild import rebuild
from shoal.runtime.projections.tables import PARKED, Entry
from shoal.runtime.projections.verify import verify
from shoal.runtime.tables import table_of


@event("attic.labelled", version=1, key="box")
class LabelledV1(msgspec.Struct, frozen=True, kw_only=True):
    box: str
    text: str


@event("attic.labelled", version=2, key="box")
class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    box: str
    words: tuple[str, ...]


@record("labels", key="box")
class Label(msgspec.Struct, frozen=True, kw_only=True):
    box: str
    words: tuple[str, ...]


@record("seen", key="box")
class Seen(msgspec.Struct, frozen=True, kw_only=True):
    box: str


@record("counted", key="box")
class Counted(msgspec.Struct, frozen=True, kw_only=True):
    box: str


@upcast
def split(old: LabelledV1) -> Labelled:
    return Labelled(box=old.box, words=tuple(old.text.split()))


attic = Service("attic", store=Postgres(), publishes=[LabelledV1, Labelled])
labels = attic.projection("labels", records=[Label])


@labels.on(Labelled, upcasters=[split])
async def labelled(event: Labelled, records: ReadModel) -> None:
    known = await records.get(Label, event.box)
    records.put(Label(box=event.box, words=((known.words if known else ()) + event.words)))


async def seen(event: Labelled, records: ReadModel) -> None:
    pass


async def test_older_versions_are_folded_as_newer_ones() -> None:
    store, each = MemoryStore(), compile_fold(labels)
    await journal.prepare(store)
    events = (("v1", LabelledV1(box="a", text="old hats")), ("v2", Labelled(box="a", words=("new", "coats"))))
    for version, said in events:
        async with store.session() as session:
            data = msgspec.json.encode(said)
            entry = Entry(id=version, ordinal=PARKED, type=f"attic.labelled.{version}", key="attic/a", data=data)
            await journal.note(session, entry)
    await journal.order(store)
    assert (await fold.advance(store, each)).events == 2
    table = table_of(Label).table
    async with store.session() as session:
        (row,) = await session.find(table, Query())
    assert msgspec.json.decode(str(row["words"])) == ["old", "hats", "new", "coats"]
    await rebuild(store, each)
    assert [found.complaints for found in await verify(store, attic)] == [()]
    await _without_the_upcaster(store)


async def _without_the_upcaster(store: MemoryStore) -> None:
    """See that nothing is built from a part of its events: the read model stays as it is."""
    other = Service("attic", store=Postgres(), publishes=[Labelled])
    deaf = other.projection("labels", records=[Label])
    deaf.on(Labelled)(labelled)
    with pytest.raises(DeclarationError, match=r"1 event of attic\.labelled\.v1, which no handler") as refused:
        await rebuild(store, compile_fold(deaf))
    assert "upcaster" in refused.value.hint
    (found,) = await verify(store, other)
    assert any("attic.labelled.v1" in line for line in found.complaints)
    async with store.session() as session:
        (row,) = await session.find(table_of(Label).table, Query())
    assert "old" in str(row["words"])
    beside = other.projection("others", records=[Seen])
    beside.on(Labelled, upcasters=[split])(seen)
    with pytest.raises(DeclarationError, match="labelled"):
        await rebuild(store, compile_fold(deaf, other.projections))  # the live model has folded it
    newcomer = other.projection("newcomer", records=[Counted])
    newcomer.on(Labelled)(seen)
    await rebuild(store, compile_fold(newcomer, other.projections))  # which takes newer versions only, on purpose
