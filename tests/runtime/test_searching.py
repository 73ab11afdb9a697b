"""Records are found by what they are once it has settled, whatever failed, was overtaken or built anew on the way."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from shoal import (
    Between,
    Facet,
    FullText,
    Hits,
    Postgres,
    PostgresSearch,
    ReadModel,
    SearchIndex,
    Service,
    System,
    Transaction,
    Unindexed,
    anyone,
    event,
    model,
    record,
    search_index,
)
from shoal.drivers.base import Query
from shoal.drivers.base.search import SearchChange, SearchShape
from shoal.drivers.memory import MemorySearch, MemoryStore
from shoal.errors import DeclarationError, Problem, Unavailable, Undeclared
from shoal.runtime.projections.fold import compile_fold
from shoal.runtime.projections.rebuild import rebuild
from shoal.runtime.search import changes
from shoal.runtime.search.searching import Searcher
from shoal.runtime.search.shapes import LONGEST_KEYWORD, change_of, shape_of
from shoal.runtime.search.side import Index
from shoal.runtime.sides import OWN_TABLES
from shoal.runtime.tables import table_of
from shoal.service.searching import describe_search
from shoal.testing import MemorySystem


@event("books.added", key="isbn")
class Added(msgspec.Struct, frozen=True, kw_only=True):
    isbn: str
    title: str


@search_index("books", language="english")
@record("books", key="isbn")
class Book(msgspec.Struct, frozen=True, kw_only=True):
    isbn: str
    title: Annotated[str, FullText(weight=3, suggest=True)]
    pages: int = 100
    shelf: str | None = None
    note: Annotated[str, Unindexed()] = ""
    at: datetime = datetime(2026, 1, 1, tzinfo=UTC)


@search_index("spines")
@record("spines", key="isbn")
class Spine(msgspec.Struct, frozen=True, kw_only=True):
    isbn: str
    title: Annotated[str, FullText()]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    found: list[str]
    next: str
    highlights: list[str]
    guessed: bool


books = Service("books", store=Postgres(), publishes=[Added], search=PostgresSearch(indexes=[Book, Spine]))
spines = books.projection("spines", records=[Spine])


@spines.on(Added)
async def printed(event: Added, records: ReadModel) -> None:
    records.put(Spine(isbn=event.isbn, title=event.title))


@books.put("/books/{isbn}", access=anyone)
async def put(isbn: str, title: str, tx: Transaction) -> None:
    tx.put(Book(isbn=isbn, title=title, shelf=title[:1]))
    tx.publish(Added(isbn=isbn, title=title))


@books.delete("/books/{isbn}", access=anyone)
async def drop(isbn: str, tx: Transaction) -> None:
    tx.delete(Book, isbn)


@books.get("/found", access=anyone)
async def find(q: str, found: SearchIndex[Book], after: str = "") -> Answer:
    hits = await found.search(q, limit=2, after=after)
    marks = [hit.highlights.get("title", "") for hit in hits.hits]
    return Answer(found=[h.item.isbn for h in hits.hits], next=hits.next, highlights=marks, guessed=hits.guessed)


@books.get("/spines", access=anyone)
async def find_spines(q: str, found: SearchIndex[Spine]) -> list[str]:
    return [hit.item.isbn for hit in (await found.search(q)).hits]


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[MemorySystem]:
    system = MemorySystem(System("town", services=[books]), tmp_path)
    await system.start()
    yield system
    await system.stop()


async def found(system: MemorySystem, query: str, path: str = "/found") -> Any:
    answer = await system.get(f"{path}?q={query}")
    assert answer.status == 200, answer.body
    return answer.json()


async def test_what_is_written_is_found_and_what_is_deleted_is_not(system: MemorySystem) -> None:
    await system.put("/books/1?title=The+%3Cb%3Eold%3C/b%3E+sea")
    await system.put("/books/2?title=The+new+sea")
    await system.settle()
    both = await found(system, "sea")
    assert sorted(both["found"]) == ["1", "2"]
    assert "The &lt;b&gt;old&lt;/b&gt; <em>sea</em>" in both["highlights"]
    assert await found(system, "new", "/spines") == ["2"]
    await system.put("/books/2?title=The+moon")
    await system.delete("/books/1")
    await system.settle()
    assert ((await found(system, "sea"))["found"], (await found(system, "moon"))["found"]) == ([], ["2"])
    assert await found(system, "moon", "/spines") == ["2"]


async def test_pages_and_guesses(system: MemorySystem) -> None:
    for number in range(5):
        await system.put(f"/books/{number}?title=skillet")
    await system.settle()
    answer, seen = await found(system, "skilet"), []
    assert answer["guessed"]
    while True:
        seen += answer["found"]
        if not answer["next"]:
            break
        answer = await found(system, f"skilet&after={answer['next']}")
    assert seen == ["0", "1", "2", "3", "4"]
    assert (await system.get("/found?q=x&after=%20%20")).status == 400
    assert (await system.get(f"/found?q={'+'.join(map(str, range(40)))}")).status == 400


class Shelf:
    """A store and an engine, and an index between them that a test drives by hand."""

    def __init__(self) -> None:
        self.store, self.engine = MemoryStore(), Patchy()
        self.index = Index(self.store, self.engine, Book)

    async def write(self, *written: Book, gone: Sequence[str] = ()) -> None:
        async with self.store.session() as session:
            for book in written:
                session.put(table_of(Book).table, table_of(Book).to_row(book))
                changes.note(session, Book, book.isbn)
            for isbn in gone:
                session.delete(table_of(Book).table, isbn)
                changes.note(session, Book, isbn)

    async def ask(self, text: str = "", **further: Any) -> list[str]:
        hits: Hits[Book] = await Searcher("books", Book, self.engine).search(text, **further)
        return sorted(hit.item.isbn for hit in hits.hits)


class Patchy(MemorySearch):
    """An engine that can fail, and can keep a write for later."""

    def __init__(self) -> None:
        super().__init__()
        self.failing, self.late = False, False
        self.kept: list[tuple[str, SearchShape, Sequence[SearchChange]]] = []
        self.before: list[Any] = []

    async def write(self, physical: str, shape: SearchShape, changes: Sequence[SearchChange]) -> None:
        while self.before:
            await self.before.pop()
        if self.failing:
            raise Unavailable("the engine is away")
        if self.late:
            self.kept.append((physical, shape, changes))
        else:
            await super().write(physical, shape, changes)


@pytest.fixture
async def shelf() -> Shelf:
    shelf = Shelf()
    await shelf.store.migrate([], OWN_TABLES)
    return shelf


def book(isbn: str, title: str = "sea", **further: Any) -> Book:
    return Book(isbn=isbn, title=title, **further)


async def test_records_from_before_the_index_are_found(shelf: Shelf) -> None:
    async with shelf.store.session() as session:
        for number in range(1203):
            session.put(table_of(Book).table, table_of(Book).to_row(book(f"{number:04}")))
    await shelf.index.establish()
    hits = await Searcher("books", Book, shelf.engine).search("sea", facets=["pages"])
    assert (hits.total, hits.facets["pages"][0].count) == (1203, 1203)


async def test_a_change_is_kept_until_the_engine_has_it(shelf: Shelf) -> None:
    await shelf.index.establish()
    await shelf.write(book("1"))
    shelf.engine.failing = True
    with pytest.raises(Unavailable):
        await shelf.index.follow()
    shelf.engine.failing = False
    assert await shelf.index.follow() == 1
    assert await shelf.ask("sea") == ["1"]
    assert await shelf.index.follow() == 0


async def test_whoever_was_overtaken_changes_nothing_and_forgets_nothing(shelf: Shelf) -> None:
    await shelf.index.establish()
    slow, quick = shelf.index, Index(shelf.store, shelf.engine, Book)
    await quick.establish()
    await shelf.write(book("1", "old"))
    shelf.engine.late = True

    async def overtake() -> None:
        shelf.engine.late = False
        await shelf.write(book("1", "new"))
        await quick.follow()
        shelf.engine.late = True

    shelf.engine.before.append(overtake())
    with pytest.raises(Unavailable, match="took over"):
        await slow.follow()
    shelf.engine.late = False
    for kept in shelf.engine.kept:  # it arrives at last
        await MemorySearch.write(shelf.engine, *kept)
    assert (await shelf.ask("new"), await shelf.ask("old", guess=False)) == (["1"], [])


async def test_what_changes_while_an_index_is_built_is_in_it(shelf: Shelf) -> None:
    await shelf.write(*(book(str(number)) for number in range(9)))
    await shelf.index.establish()

    async def change() -> None:
        await shelf.write(book("3", "moon"), book("x"), gone=["4"])

    shelf.engine.before.append(change())
    async with shelf.store.session() as session:
        changes.note_all(session, Book)
    await shelf.index.follow()
    assert await shelf.ask("sea") == ["0", "1", "2", "5", "6", "7", "8", "x"]
    assert await shelf.ask("moon") == ["3"]
    assert not await changes.replaced(shelf.store, "books")


async def test_an_index_is_built_again_when_it_is_gone_or_of_another_shape(shelf: Shelf) -> None:
    await shelf.write(book("1"))
    await shelf.index.establish()
    shelf.engine.__init__()  # type: ignore[misc]  # another engine, with nothing in it
    await shelf.index.establish()
    first = await shelf.engine.pointed("books")
    assert await shelf.ask("sea") == ["1"]
    other = Index(shelf.store, shelf.engine, Book)
    other._digest = "another"
    await other.establish()
    assert await shelf.engine.pointed("books") != first
    assert await shelf.ask("sea") == ["1"]


async def test_a_death_between_the_two_last_steps_of_a_build_leaves_the_index_asked(shelf: Shelf) -> None:
    await shelf.write(book("1"))
    await shelf.index.establish()
    async with shelf.store.session() as session:
        session.delete(changes.STANDINGS.table, "books")
    again = Index(shelf.store, shelf.engine, Book)
    shelf.engine.failing = True
    with pytest.raises(Unavailable):
        await again.establish()
    assert await shelf.ask("sea") == ["1"]
    shelf.engine.failing = False
    await again.establish()
    assert await shelf.ask("sea") == ["1"]


async def test_a_rebuilt_read_model_has_its_index_built_anew(system: MemorySystem) -> None:
    await system.put("/books/1?title=sea")
    await system.settle()
    store = system._hosts["books"].store
    assert store is not None
    async with store.session() as session:  # what no event says
        session.put(table_of(Spine).table, table_of(Spine).to_row(Spine(isbn="9", title="stray")))
        changes.note(session, Spine, "9")
    system._hosts["books"]._changed.set()
    await system.settle()
    assert await found(system, "stray", "/spines") == ["9"]
    await rebuild(store, compile_fold(spines))
    await system.settle()
    assert await found(system, "stray", "/spines") == []
    assert await found(system, "sea", "/spines") == ["1"]


async def test_eight_writers_and_a_follower_end_with_the_store(shelf: Shelf) -> None:
    await shelf.index.establish()

    async def write(writer: int) -> None:
        for round_ in range(6):
            isbn = str((writer + round_) % 4)
            if (writer + round_) % 5:
                await shelf.write(book(isbn, f"title{writer}{round_}"))
            else:
                await shelf.write(gone=[isbn])
            await asyncio.sleep(0)

    writing = asyncio.gather(*(write(writer) for writer in range(8)))
    while not writing.done():
        await shelf.index.follow()
        await asyncio.sleep(0)
    await writing
    await shelf.index.follow()
    async with shelf.store.session() as session:
        rows = {str(r["isbn"]): r["title"] for r in await session.find(table_of(Book).table, Query())}
    hits = await Searcher("books", Book, shelf.engine).search()
    assert {hit.item.isbn: hit.item.title for hit in hits.hits} == rows


async def test_questions_that_make_no_sense_are_refused(shelf: Shelf) -> None:
    await shelf.index.establish()
    index = Searcher("books", Book, shelf.engine)
    for wrong in (
        {"where": {"title": "sea"}}, {"where": {"nothing": 1}}, {"where": {"pages": "many"}},
        {"where": {"pages": True}}, {"where": {"pages": 2**70}}, {"where": {"pages": Between(1, "2")}},
        {"order": "title"}, {"order": "note"}, {"facets": ["title"]}, {"facets": [Facet("pages", (Between("a"),))]},
        {"limit": 0}, {"limit": 201}, {"after": -1},
    ):  # fmt: skip
        with pytest.raises(Undeclared):
            await index.search("sea", **wrong)
    with pytest.raises(Undeclared, match="suggest"):
        await Searcher("books", Spine, shelf.engine).suggest("sea")
    page = await Searcher("books", Book, shelf.engine).search()
    assert page.next == ""
    await shelf.write(book("1"), book("2"))
    await shelf.index.follow()
    cursor = (await index.search(order="pages", limit=1)).next
    with pytest.raises(Problem, match="another order"):
        await index.search(order="-pages", after=cursor)
    with pytest.raises(Problem, match="10,000"):
        await index.search(after=10_000)


def test_what_no_engine_keeps_is_taken_out() -> None:
    long = "x" * (LONGEST_KEYWORD + 1)
    odd = Book(isbn="1", title="a\0b\2c\3", pages=2**70, shelf=long, note="\0")
    values = change_of(shape_of(Book), "1", 1, odd).values
    assert values is not None
    assert (values["title"], values["pages"], values["shelf"]) == ("abc", None, None)


def test_indexes_that_cannot_be_are_refused() -> None:
    class Bare(msgspec.Struct):
        id: int
        name: Annotated[str, FullText()] = ""

    with pytest.raises(DeclarationError, match="record"):
        search_index("bare")(Bare)
    with pytest.raises(DeclarationError, match="no str"):
        search_index("bare")(record("bare", key="id")(Bare))

    class Plain(msgspec.Struct):
        id: str
        name: str = ""

    with pytest.raises(DeclarationError, match="no text"):
        search_index("plain")(record("plain", key="id")(Plain))
    with pytest.raises(DeclarationError, match="no name"):
        search_index("Plain-Ones")(record("plain", key="id")(Plain))
    with pytest.raises(DeclarationError, match="is no index"):
        PostgresSearch(indexes=[Plain])
    lonely = Service("lonely", store=Postgres())
    lonely.projection("spines", records=[Spine])
    with pytest.raises(DeclarationError, match="does not say where it is searched"):
        describe_search(lonely)
    use = describe_search(books)
    with pytest.raises(DeclarationError, match="no store"):
        model.Service(name="lonely", entry="lonely:lonely", search=use)
