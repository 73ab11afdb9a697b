"""An index as a dictionary: the reference of what searching means. It takes no endings off words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from shoal.drivers.base.search import (
    FacetAsked,
    SearchAnswer,
    SearchChange,
    SearchHit,
    SearchQuery,
    SearchShape,
    Span,
)
from shoal.drivers.base.words import ALIKE, fold, holds, marked, nearness, words
from shoal.errors import Unavailable


class MemorySearch:
    """Implements `base.Search`; keeps nothing beyond the process."""

    def __init__(self) -> None:
        self._indexes: dict[str, dict[str, SearchChange]] = {}
        self._names: dict[str, str] = {}

    async def close(self) -> None:
        """Do nothing."""

    async def make(self, physical: str, shape: SearchShape) -> None:  # noqa: ARG002 - the contract's parameter
        """Begin with nothing."""
        self._indexes[physical] = {}

    async def write(self, physical: str, shape: SearchShape, changes: Sequence[SearchChange]) -> None:
        """Take what is newer."""
        index = self._index(physical, shape.name)
        for change in changes:
            known = index.get(change.key)
            if known is None or known.version < change.version:
                index[change.key] = change

    async def point(self, name: str, physical: str) -> None:
        """Move a name."""
        self._index(physical, name)
        self._names[name] = physical
        for other in [one for one in self._indexes if one.partition("-")[0] == name and one != physical]:
            del self._indexes[other]

    async def pointed(self, name: str) -> str:
        """Look a name up."""
        return self._names.get(name, "")

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Look at every document."""
        found = [hit for hit in self._documents(query.shape.name) if _fits(hit, query)]
        hits = [_hit(change, query) for change in found]
        down = not query.order or query.order.startswith("-")
        start = query.offset
        if query.after is not None:  # it may be gone by now; its place is not
            place, key = query.after
            stone = SearchHit(key=key, body="", score=0.0, place=place)
            rest = _sorted([stone, *(hit for hit in hits if (hit.place, hit.key) != query.after)], down=down)
            hits, start = rest, rest.index(stone) + 1
        else:
            hits = _sorted(hits, down=down)
        facets = tuple(_counted(found, facet) for facet in query.facets)
        return SearchAnswer(hits=hits[start : start + query.limit], total=len(found), facets=facets)

    async def suggest(self, shape: SearchShape, prefix: str, limit: int, *, near: bool = False) -> Sequence[str]:
        """Look at every document."""
        asked = fold(prefix)
        texts = {str(text) for c in self._documents(shape.name) if (text := (c.values or {}).get(shape.suggest))}
        if not near:
            return sorted(text for text in texts if f" {asked}" in f" {fold(text)}")[:limit]
        wanted = words(asked)
        near_by = {text: min(_nearest(word, words(text)) for word in wanted) for text in texts if wanted}
        return sorted((t for t, n in near_by.items() if n >= ALIKE), key=lambda t: (-near_by[t], t))[:limit]

    def _documents(self, name: str) -> list[SearchChange]:
        index = self._index(self._names.get(name, ""), name)
        return [change for change in index.values() if change.values is not None]

    def _index(self, physical: str, name: str) -> dict[str, SearchChange]:
        found = self._indexes.get(physical)
        if found is None:
            raise Unavailable(f"the index {name} is not built yet", hint="try again in a moment")
        return found


def _fits(change: SearchChange, query: SearchQuery) -> bool:
    values = change.values or {}
    if not all(_matches(values.get(field), wanted) for field, wanted in query.where.items()):
        return False
    texts = [words(str(values.get(field.name) or "")) for field in query.shape.texts]
    if any(holds(text, part) for part in query.terms.unwanted for text in texts):
        return False
    every = [word for text in texts for word in text]
    if query.near:
        return all(_nearest(word, every) >= ALIKE for word in query.terms.words)
    return all(any(holds(text, part) for text in texts) for part in query.terms.wanted)


def _matches(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Span):
        return (
            value is not None
            and (wanted.least is None or value >= wanted.least)
            and (wanted.below is None or value < wanted.below)
        )
    return value in wanted if isinstance(wanted, tuple) else value == wanted


def _hit(change: SearchChange, query: SearchQuery) -> SearchHit:
    values = change.values or {}
    score, highlights = 0.0, {}
    for field in query.shape.texts:
        text = str(values.get(field.name) or "")
        counted = Counter(words(text))
        asked = {w for w in counted if any(_same(q, w, near=query.near) for q in query.terms.words)}
        score += field.weight * sum(counted[word] / (1 + counted.total() / 100) for word in asked)
        if asked:
            highlights[field.name] = marked(text, asked)
    place: object = round(score, 6) if not query.order else values.get(query.order.lstrip("-"))
    return SearchHit(
        key=change.key, body=change.body, score=round(score, 6), place=_plain(place), highlights=highlights
    )  # fmt: skip


def _same(asked: str, word: str, *, near: bool) -> bool:
    return nearness(asked, word) >= ALIKE if near else asked == word


def _plain(place: object) -> object:
    """Spell times and dates, so that a place can travel."""
    return place if isinstance(place, str | int | float | None) else msgspec.to_builtins(place)


def _sorted(hits: Sequence[SearchHit], *, down: bool) -> list[SearchHit]:
    """Order by place, nulls last in either direction, then by key."""
    by_key = sorted(hits, key=lambda hit: hit.key)
    placed: list[Any] = [hit for hit in by_key if hit.place is not None]
    placed.sort(key=lambda hit: hit.place, reverse=down)
    return placed + [hit for hit in by_key if hit.place is None]


def _counted(found: Sequence[SearchChange], facet: FacetAsked) -> tuple[tuple[object, int], ...]:
    values: list[Any] = [value for c in found if (value := (c.values or {}).get(facet.field)) is not None]
    if facet.spans:
        return tuple((n, sum(_matches(value, span) for value in values)) for n, span in enumerate(facet.spans))
    counts: Mapping[Any, int] = Counter(values)
    return tuple(sorted(counts.items(), key=lambda each: (-each[1], each[0])))[: facet.limit]


def _nearest(asked: str, among: Sequence[str]) -> float:
    return max((nearness(asked, word) for word in among), default=0.0)
