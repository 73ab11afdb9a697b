"""OpenSearch keeps the contract of searching, as far as its documentation goes: no server of it can be had here."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import pytest
import pytest_asyncio

from shoal.drivers import open_search
from shoal.drivers.base.search import FacetAsked, Search, SearchChange, SearchField, SearchQuery, SearchShape, Span
from shoal.drivers.opensearch import indexes
from shoal.drivers.opensearch.address import read
from shoal.drivers.opensearch.index import id_of
from shoal.errors import DeclarationError, EngineError, Unavailable
from tests.conformance.search import (
    CORPUS,
    FIRST,
    SHAPE,
    EndingsContract,
    FieldsContract,
    NamesContract,
    VersionsContract,
    WordsContract,
    change,
    filled,
    keys,
)
from tests.drivers.opensearch.server import Played


@pytest_asyncio.fixture
async def played() -> AsyncIterator[Played]:
    async with Played().serving() as played:
        yield played


@pytest_asyncio.fixture
async def search(played: Played) -> AsyncIterator[Search]:
    search = open_search(played.url)
    yield search
    await search.close()


class TestOpenSearch(WordsContract, FieldsContract, VersionsContract, NamesContract, EndingsContract):
    """The contract."""


async def test_an_index_that_is_gone_is_not_made_by_writing_to_it(search: Search, played: Played) -> None:
    await filled(search)
    await search.make("products-2", SHAPE)
    await search.point("products", "products-2")
    with pytest.raises(Unavailable, match="not built yet"):
        await search.write(FIRST, SHAPE, [change("A", CORPUS["A"])])
    assert list(played.indexes) == ["shop-products.products-2"]


async def test_a_node_that_is_busy_or_gone_is_asked_again(search: Search, played: Played) -> None:
    await filled(search)
    played.faults = [503, 0, 429]
    assert await keys(search, "skillet") == ["A", "B"]
    played.faults = [503, 503, 503, 503]
    with pytest.raises(Unavailable, match="503 played_exception"):
        await keys(search, "skillet")
    assert not played.faults


async def test_other_nodes_are_asked_when_one_is_away(search: Search, played: Played) -> None:
    await filled(search)
    several = open_search(f"opensearch://127.0.0.1:1,127.0.0.1:{played.port}/shop-products")
    for _ in range(3):
        assert await keys(several, "skillet") == ["A", "B"]
    await several.close()
    nobody = open_search("opensearch://127.0.0.1:1/shop-products")
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"):
        await keys(nobody, "skillet")
    await nobody.close()


async def test_a_second_try_of_what_was_done_is_no_error(search: Search, played: Played) -> None:
    played.lost = ["PUT"]
    await search.make(FIRST, SHAPE)
    await search.write(FIRST, SHAPE, [change("A", CORPUS["A"])])
    played.lost = ["POST"]
    await search.point("products", FIRST)
    assert await keys(search, "skillet") == ["A"]


async def test_what_is_refused_is_told(search: Search, played: Played) -> None:
    await search.make(FIRST, SHAPE)
    with pytest.raises(EngineError, match="mapper_parsing_exception") as refused:
        await search.write(FIRST, SHAPE, [change("A", {**CORPUS["A"], "amount": "dear"})])
    assert not isinstance(refused.value, Unavailable)
    other = SearchShape(name="products", fields=(*SHAPE.fields, SearchField(name="more", kind="keyword")))
    with pytest.raises(EngineError, match="strict_dynamic_mapping_exception"):
        await search.write(FIRST, other, [change("A", {**CORPUS["A"], "more": "x"})])


async def test_a_user_is_let_in_and_others_are_told_what_they_lack() -> None:
    async with Played("shop", "p w").serving() as played:
        stranger = open_search(played.url)
        with pytest.raises(EngineError, match="does not allow") as refused:
            await stranger.pointed("products")
        assert "shop-products.*" in refused.value.hint
        await stranger.close()
    known = read("opensearch://shop:p%20w@node/shop?tls=1")
    assert known.headers == {"Authorization": "Basic c2hvcDpwIHc="}
    assert "p w" not in repr(known)


async def test_large_documents_go_in_several_requests(
    search: Search, played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "LARGEST_BULK", 2_000)
    await search.make(FIRST, SHAPE)
    played.asked.clear()
    await search.write(FIRST, SHAPE, [change(f"K{n}", CORPUS["A"]) for n in range(20)])
    assert 1 < played.asked.count("POST /_bulk") < 20
    await search.point("products", FIRST)
    assert len(await keys(search, "skillet", limit=50)) == 20


async def test_keys_of_any_length_and_kind_are_told_apart(search: Search) -> None:
    odd = ["x" * 5000, "x" * 5001, "~a", "", "a/b c?", "\N{GRINNING FACE}", "_all"]
    await filled(search, [SearchChange(key=key, version=1, values=CORPUS["A"]) for key in odd])
    assert sorted(await keys(search, "skillet")) == sorted(odd)
    assert len({id_of(key) for key in odd}) == len(odd)
    assert all(0 < len(id_of(key).encode()) <= 512 for key in odd)


async def test_times_and_dates_are_exact(search: Search) -> None:
    shape = SearchShape(
        name="days",
        fields=(
            SearchField(name="what", kind="text"),
            SearchField(name="at", kind="time"),
            SearchField(name="day", kind="date"),
            SearchField(name="number", kind="integer"),
        ),
    )
    await search.make("days-1", shape)
    late = datetime(2026, 1, 1, 12, 0, 0, 1, tzinfo=UTC)
    early = datetime(1931, 5, 6, tzinfo=UTC)
    for key, at, number in (("L", late, 2**62 + 1), ("E", early, 2**62)):
        values = {"what": key, "at": at, "day": at.date(), "number": number}
        await search.write("days-1", shape, [SearchChange(key=key, version=1, values=values, body="{}")])
    await search.point("days", "days-1")
    spans = (Span(least=2**62, below=2**62 + 1), Span(least=2**62 + 1))
    facets = (FacetAsked(field="at"), FacetAsked(field="day"), FacetAsked(field="number", spans=spans))
    answer = await search.search(SearchQuery(shape=shape, where={"at": Span(below=late)}, facets=facets))
    assert [hit.key for hit in answer.hits] == ["E"]
    assert answer.facets == (((early, 1),), ((date(1931, 5, 6), 1),), ((0, 1), (1, 0)))
    answer = await search.search(SearchQuery(shape=shape, order="-day", after=(None, "")))
    assert answer.total == 2


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("opensearch://node", "no prefix"),
        ("opensearch:///shop", "no host"),
        ("opensearch://node/_shop", "no prefix"),
        ("opensearch://node/Shop", "no prefix"),
        ("opensearch://a:b@node/shop", "in the clear"),
        ("opensearch://node/shop?tls=yes", "tls=yes"),
        ("opensearch://node/shop?sniff=1", "sniff"),
        ("opensearch://node/shop?timeout=soon", "timeout=soon"),
        ("opensearch://node/shop?shards=-1", "shards=-1"),
    ],
)
def test_addresses_that_make_no_sense_are_refused(url: str, problem: str) -> None:
    with pytest.raises(DeclarationError, match=problem):
        read(url)


def test_an_address_names_nodes_and_sizes() -> None:
    address = read("opensearch://a,b:9201,[::1]:9202/shop-products?tls=1&shards=3&replicas=0&timeout=2.5")
    assert address.servers == ("https://a:9200", "https://b:9201", "https://[::1]:9202")
    assert (address.sizes, address.timeout) == ((("shards", 3), ("replicas", 0)), 2.5)
