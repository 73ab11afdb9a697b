"""The contract of a `Search`, sentence by sentence. Subclasses bring the fixture ``search``, an empty engine."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from shoal.drivers.base.search import (
    FacetAsked,
    Search,
    SearchAnswer,
    SearchChange,
    SearchField,
    SearchQuery,
    SearchShape,
    Span,
)
from shoal.drivers.base.words import CLOSE, OPEN, terms
from shoal.errors import Unavailable

SHAPE = SearchShape(
    name="products",
    language="english",
    suggest="name",
    fields=(
        SearchField(name="name", kind="text", weight=4.0),
        SearchField(name="description", kind="text"),
        SearchField(name="category", kind="keyword"),
        SearchField(name="amount", kind="integer"),
        SearchField(name="rating", kind="number"),
        SearchField(name="since", kind="time"),
    ),
)
FIRST = "products-1"

CORPUS: Mapping[str, Mapping[str, object]] = {
    "A": {"name": "Cast iron skillet", "description": "For the stove.", "category": "kitchen", "amount": 4900},
    "B": {"name": "Lid", "description": "Fits every cast iron skillet of ours.", "category": "kitchen", "amount": 1900},
    "C": {"name": "Enamel mug", "description": "A mug for coffee.", "category": "kitchen", "amount": 900},
    "D": {"name": "Café lamp", "description": "Warm light; goes with an enamel sign.", "category": "home",
          "amount": 5900},
    "E": {"name": "Atlas", "description": "The world, flat.", "category": "books", "amount": 4900},
}  # fmt: skip


def change(key: str, values: Mapping[str, object] | None, version: int = 1) -> SearchChange:
    if values is None:
        return SearchChange(key=key, version=version, values=None)
    number = ord(key[0]) - ord("A") + 1
    further = {"rating": None if key == "E" else number / 2, "since": datetime(2026, 1, number % 28 + 1, tzinfo=UTC)}
    return SearchChange(key=key, version=version, values={**further, **values}, body=f'{{"sku":"{key}"}}')


def asked(text: str = "", **further: object) -> SearchQuery:
    return replace(SearchQuery(shape=SHAPE, terms=terms(text)), **further)


async def keys(search: Search, text: str = "", **further: object) -> list[str]:
    return keys_of(await search.search(asked(text, **further)))


def keys_of(answer: SearchAnswer) -> list[str]:
    return [hit.key for hit in answer.hits]


async def filled(search: Search, changes: Sequence[SearchChange] = ()) -> Search:
    await search.make(FIRST, SHAPE)
    await search.write(FIRST, SHAPE, changes or [change(key, values) for key, values in CORPUS.items()])
    await search.point("products", FIRST)
    return search


class WordsContract:
    """Finding by words."""

    async def test_every_word_must_be_there_and_the_best_comes_first(self, search: Search) -> None:
        await filled(search)
        answer = await search.search(asked("SKILLET cast-iron"))
        assert (keys_of(answer), answer.total) == (["A", "B"], 2)
        assert answer.hits[0].score > answer.hits[1].score > 0
        assert answer.hits[0].body == '{"sku":"A"}'
        assert await keys(search, "skillet coffee") == []
        assert sorted(await keys(search)) == ["A", "B", "C", "D", "E"]

    async def test_accents_and_case_do_not_count(self, search: Search) -> None:
        await filled(search)
        assert await keys(search, "CAFE") == await keys(search, "café") == ["D"]

    async def test_phrases_hold_together_and_minus_leaves_out(self, search: Search) -> None:
        await filled(search)
        assert await keys(search, '"iron skillet"') == ["A", "B"]
        assert await keys(search, '"skillet iron"') == []
        assert await keys(search, "skillet -lid") == ["A"]
        assert await keys(search, 'skillet -"fits every"') == ["A"]

    @pytest.mark.parametrize(
        "text",
        ["'; drop table x; --", '"', '""', "-", '-"', "a & b | !", "(((", "*", "or", "name:atlas", "\\", "%_", "a:*",
         "<script>", "\0", "{{}}", "$1", "😀", "x" * 5000, "- - -", "/a.*/", "[1 TO 2]", "~2", "AND NOT"],
    )  # fmt: skip
    async def test_nothing_in_a_question_is_more_than_words(self, search: Search, text: str) -> None:
        await filled(search)
        for near in (False, True):
            await search.search(asked(text, near=near))
            await search.suggest(SHAPE, text, 5, near=near)
        assert await keys(search, "atlas") == ["E"]

    async def test_words_that_are_alike_count_when_asked_for(self, search: Search) -> None:
        await filled(search)
        assert await keys(search, "skilet") == []
        assert set(await keys(search, "skilet iron", near=True)) == {"A", "B"}
        assert await keys(search, "unobtainium", near=True) == []
        assert await keys(search, "skilet", near=True, where={"amount": 1900}) == ["B"]

    async def test_what_was_found_is_marked(self, search: Search) -> None:
        await filled(search)
        hit = (await search.search(asked("cafe"))).hits[0]
        assert hit.highlights == {"name": f"{OPEN}Café{CLOSE} lamp"}
        near = (await search.search(asked("skilet", near=True, where={"amount": 4900}))).hits[0]
        assert near.highlights == {"name": f"Cast iron {OPEN}skillet{CLOSE}"}

    async def test_texts_are_completed(self, search: Search) -> None:
        await filled(search)
        assert list(await search.suggest(SHAPE, "ski", 5)) == ["Cast iron skillet"]
        assert list(await search.suggest(SHAPE, "Cast ir", 5)) == ["Cast iron skillet"]
        assert list(await search.suggest(SHAPE, "la", 5)) == ["Café lamp"]
        assert list(await search.suggest(SHAPE, "l", 1)) == ["Café lamp"]
        assert list(await search.suggest(SHAPE, "atlsa", 5)) == []
        assert list(await search.suggest(SHAPE, "skilet", 5, near=True)) == ["Cast iron skillet"]
        assert list(await search.suggest(SHAPE, "atlas skilet", 5, near=True)) == []


class FieldsContract:
    """Filters, facets, order and pages."""

    async def test_filters(self, search: Search) -> None:
        await filled(search)
        assert await keys(search, where={"category": "home"}) == ["D"]
        assert sorted(await keys(search, where={"category": ("home", "books")})) == ["D", "E"]
        assert await keys(search, where={"category": ()}) == []
        assert sorted(await keys(search, where={"amount": Span(least=1900, below=4900)})) == ["B"]
        assert await keys(search, where={"rating": None}) == ["E"]
        assert sorted(await keys(search, where={"rating": Span(least=1.5)})) == ["C", "D"]
        assert sorted(await keys(search, where={"rating": Span()})) == ["A", "B", "C", "D"]
        assert await keys(search, "skillet", where={"category": "kitchen", "amount": 4900}) == ["A"]
        assert await keys(search, where={"since": datetime(2026, 1, 3, tzinfo=UTC)}) == ["B"]

    async def test_facets_count_all_hits(self, search: Search) -> None:
        await filled(search)
        spans = (Span(below=1000), Span(least=1000, below=4900), Span(least=4900))
        facets = (FacetAsked(field="category"), FacetAsked(field="amount", spans=spans))
        answer = await search.search(asked(facets=facets, limit=1))
        assert answer.facets == ((("kitchen", 3), ("books", 1), ("home", 1)), ((0, 1), (1, 1), (2, 3)))
        answer = await search.search(asked("enamel", facets=facets))
        assert answer.facets == ((("home", 1), ("kitchen", 1)), ((0, 1), (1, 0), (2, 1)))
        few = await search.search(asked(facets=(FacetAsked(field="category", limit=1),)))
        assert few.facets == ((("kitchen", 3),),)

    async def test_order_by_a_field_puts_nulls_last(self, search: Search) -> None:
        await filled(search)
        assert await keys(search, order="amount") == ["C", "B", "A", "E", "D"]
        assert await keys(search, order="-amount") == ["D", "A", "E", "B", "C"]
        assert await keys(search, order="rating") == ["A", "B", "C", "D", "E"]
        assert await keys(search, order="-rating") == ["D", "C", "B", "A", "E"]
        assert await keys(search, order="category") == ["E", "D", "A", "B", "C"]
        assert await keys(search, order="-since") == ["E", "D", "C", "B", "A"]

    @pytest.mark.parametrize("order", ["", "amount", "-amount", "rating", "-rating", "category", "-category", "since"])
    async def test_pages_have_every_hit_once(self, search: Search, order: str) -> None:
        await filled(search)
        whole = await search.search(asked(order=order))
        paged, query = [], asked(order=order, limit=2)
        while page := (await search.search(query)).hits:
            paged += [hit.key for hit in page]
            query = replace(query, after=(page[-1].place, page[-1].key))
        assert paged == keys_of(whole)
        assert [*await keys(search, order=order, limit=2, offset=2)] == paged[2:4]

    async def test_a_page_begins_behind_a_hit_that_is_gone(self, search: Search) -> None:
        await filled(search)
        await search.write(FIRST, SHAPE, [change("B", None, 2)])
        assert await keys(search, order="amount", after=(1900, "B")) == ["A", "E", "D"]


class VersionsContract:
    """What is newer stays, whatever comes after it."""

    async def test_what_is_older_is_passed_over(self, search: Search) -> None:
        await filled(search, [change("A", CORPUS["A"], 5)])
        await search.write(FIRST, SHAPE, [change("A", CORPUS["E"], 4), change("A", CORPUS["E"], 5)])
        assert await keys(search, "skillet") == ["A"]
        await search.write(FIRST, SHAPE, [change("A", CORPUS["E"], 6)])
        assert (await keys(search, "skillet"), await keys(search, "atlas")) == ([], ["A"])

    async def test_what_is_gone_stays_gone(self, search: Search) -> None:
        await filled(search)
        await search.write(FIRST, SHAPE, [change("A", None, 3), change("Z", None, 3)])
        await search.write(FIRST, SHAPE, [change("A", CORPUS["A"], 2), change("Z", CORPUS["A"], 1)])
        assert await keys(search, "skillet") == ["B"]
        assert list(await search.suggest(SHAPE, "skillet", 5)) == []
        await search.write(FIRST, SHAPE, [change("A", CORPUS["A"], 4)])
        assert await keys(search, "skillet") == ["A", "B"]

    async def test_eight_writers_leave_the_newest(self, search: Search) -> None:
        await filled(search)
        names = [f"K{number}" for number in range(20)]

        async def write(writer: int) -> None:
            for round_ in range(5):
                version = 2 + round_ * 8 + writer
                values = {**CORPUS["C"], "amount": version}
                order = names if writer % 2 else names[::-1]
                await search.write(FIRST, SHAPE, [change(name, values, version) for name in order])

        await asyncio.gather(*(write(writer) for writer in range(8)))
        newest = 2 + 4 * 8 + 7
        answer = await search.search(asked(where={"amount": newest}, limit=50))
        assert sorted(keys_of(answer)) == sorted(names)

    async def test_nothing_at_all_is_written(self, search: Search) -> None:
        await search.make(FIRST, SHAPE)
        await search.write(FIRST, SHAPE, [])


class NamesContract:
    """Indexes behind names."""

    async def test_a_name_moves_in_one_step(self, search: Search) -> None:
        await filled(search)
        await search.make("products-2", SHAPE)
        await search.write("products-2", SHAPE, [change("N", CORPUS["A"])])
        assert await keys(search, "skillet") == ["A", "B"]
        await search.point("products", "products-2")
        assert await keys(search, "skillet") == ["N"]
        assert await search.pointed("products") == "products-2"
        with pytest.raises(Unavailable):
            await search.write(FIRST, SHAPE, [change("A", CORPUS["A"])])

    async def test_searches_go_on_while_names_move(self, search: Search) -> None:
        await filled(search)
        ends = asyncio.Event()

        async def ask() -> set[tuple[str, ...]]:
            seen: set[tuple[str, ...]] = set()
            while True:
                seen.add(tuple(await keys(search, "skillet")))
                if ends.is_set():
                    return seen
                await asyncio.sleep(0)

        asking = [asyncio.create_task(ask()) for _ in range(2)]
        for number in range(2, 6):
            await search.make(f"products-{number}", SHAPE)
            await search.write(f"products-{number}", SHAPE, [change("A", CORPUS["A"]), change("B", CORPUS["B"])])
            await search.point("products", f"products-{number}")
        ends.set()
        assert {kind for seen in await asyncio.gather(*asking) for kind in seen} == {("A", "B")}

    async def test_other_names_are_left_alone(self, search: Search) -> None:
        await filled(search)
        other = replace(SHAPE, name="products2")
        await search.make("products2-1", other)
        await search.point("products2", "products2-1")
        await search.make("products-2", SHAPE)
        await search.point("products", "products-2")
        assert await search.pointed("products2") == "products2-1"

    async def test_making_an_index_again_empties_it(self, search: Search) -> None:
        await filled(search)
        await search.make(FIRST, SHAPE)
        assert await keys(search) == []

    async def test_what_is_not_there_says_so(self, search: Search) -> None:
        assert await search.pointed("products") == ""
        with pytest.raises(Unavailable, match="not built yet"):
            await search.search(asked("mug"))
        with pytest.raises(Unavailable, match="not built yet"):
            await search.suggest(SHAPE, "mug", 5)


class EndingsContract:
    """What engines do that know languages and weights."""

    async def test_endings_of_words_are_taken_off(self, search: Search) -> None:
        await filled(search)
        assert await keys(search, "mugs") == ["C"]
        hit = (await search.search(asked("skillets fitting"))).hits[0]
        assert set(hit.highlights) == {"description"}

    async def test_weights_outdo_frequency(self, search: Search) -> None:
        often = {"name": "Lid", "description": "skillet skillet skillet"}
        await filled(search, [change("A", {"name": "Skillet", "description": ""}), change("B", often)])
        assert await keys(search, "skillet") == ["A", "B"]
