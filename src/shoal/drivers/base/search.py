"""An engine that finds documents by their words: indexes with versions, behind names that move in one step."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from shoal.drivers.base.words import Terms

FieldKind = Literal["text", "keyword", "integer", "number", "time", "date"]

DEEPEST = 10_000
"""Hits that are counted past by an offset at most, as OpenSearch does without further settings."""


class SearchField(msgspec.Struct, frozen=True, kw_only=True):
    """One field that is searched, filtered by, counted or ordered by; any may be null."""

    name: str
    kind: FieldKind
    weight: float = 1.0
    """Of a text's words, beside those of other texts; an index has at most four weights."""


class SearchShape(msgspec.Struct, frozen=True, kw_only=True):
    """What an index is made of."""

    name: str
    """Under which it is asked: lower-case letters, digits and ``_``."""
    fields: tuple[SearchField, ...]
    language: str = "simple"
    """Whose endings of words are taken off; ``simple`` takes none."""
    suggest: str = ""
    """The text that `Search.suggest` offers; empty when none is."""

    @property
    def texts(self) -> tuple[SearchField, ...]:
        """The fields that are searched."""
        return tuple(each for each in self.fields if each.kind == "text")


class SearchChange(msgspec.Struct, frozen=True, kw_only=True):
    """What one document is as of a version."""

    key: str
    version: int
    """From 1. A change that is older than what the index has, or as old, is passed over: also than a removal."""
    values: Mapping[str, object] | None
    """By field; None when it is gone."""
    body: str = ""
    """The whole document, which hits give back and nobody searches."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Values from `least` on and below `below`; None is without end."""

    least: object = None
    below: object = None


class FacetAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What to count hits by: the values of a field, most frequent first, or spans of it."""

    field: str
    spans: tuple[Span, ...] = ()
    limit: int = 20


class SearchQuery(msgspec.Struct, frozen=True, kw_only=True):
    """One question to one index."""

    shape: SearchShape
    terms: Terms = Terms()
    """Nothing that is wanted means everything."""
    near: bool = False
    """Whether words that are only alike count as well; then there are no phrases."""
    where: Mapping[str, object] = {}
    """Field → value, tuple of which any will do, or `Span`."""
    facets: tuple[FacetAsked, ...] = ()
    order: str = ""
    """A field, a leading ``-`` means descending, nulls last; empty is the best first. Keys break ties."""
    limit: int = 20
    offset: int = 0
    after: tuple[object, str] | None = None
    """Place of the hit behind which to go on: its `SearchHit.place` and key."""


class SearchHit(msgspec.Struct, frozen=True, kw_only=True):
    """One document that was found."""

    key: str
    body: str
    score: float
    place: object
    """What it is ordered by: text, number or null."""
    highlights: Mapping[str, str] = {}
    """Text by field where a word was found, between `words.OPEN` and `words.CLOSE`."""


class SearchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What was found."""

    hits: Sequence[SearchHit]
    total: int
    facets: tuple[tuple[tuple[object, int], ...], ...] = ()
    """For each that was asked: value, or the span's number, and how many of all hits."""


class Search(Protocol):
    """Opened once, used by many tasks at a time; for each index, one of them writes."""

    async def close(self) -> None:
        """Let go of every connection."""
        ...

    async def make(self, physical: str, shape: SearchShape) -> None:
        """Make an empty index that nobody asks yet, in place of one of its name: ``NAME-SOMETHING``."""
        ...

    async def write(self, physical: str, shape: SearchShape, changes: Sequence[SearchChange]) -> None:
        """Write changes, each unless the index has a version that is as new; `Unavailable` when there is no index.

        What this returns from is found by whoever asks afterwards.
        """
        ...

    async def point(self, name: str, physical: str) -> None:
        """Have a name mean an index from now on, in one step, and remove the others that were made for it."""
        ...

    async def pointed(self, name: str) -> str:
        """Return the index that a name means; empty when it means none."""
        ...

    async def search(self, query: SearchQuery) -> SearchAnswer:
        """Answer from the index that the name of the shape means; `Unavailable` when it means none."""
        ...

    async def suggest(self, shape: SearchShape, prefix: str, limit: int, *, near: bool = False) -> Sequence[str]:
        """Complete what somebody began to type to texts of the shape's field, in alphabetic order, each once.

        Args:
            shape: Of the index.
            prefix: Words; the last may be a beginning.
            limit: Most texts.
            near: Whether words that are only alike count; then the nearest come first.
        """
        ...
