"""`SearchIndex` as handlers see it."""

import binascii
import datetime as dt
import html
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Generic, TypeVar

import msgspec

from shoal.drivers.base.search import (
    DEEPEST,
    FacetAsked,
    FieldKind,
    Search,
    SearchAnswer,
    SearchHit,
    SearchQuery,
    Span,
)
from shoal.drivers.base.words import CLOSE, OPEN, terms
from shoal.errors import EngineError, Problem, Unavailable, Undeclared
from shoal.runtime.search.shapes import shape_of
from shoal.service import codec
from shoal.service.search import Between, Counted, Facet, Hit, Hits, SearchIndex

T = TypeVar("T")

MOST_HITS = 200
MOST_WORDS = 32
MOST_FACETS = 16
MOST_COUNTED = 200

_TYPES: Mapping[FieldKind, tuple[type, ...]] = {
    "text": (),
    "keyword": (str,),
    "integer": (int,),
    "number": (int, float),
    "time": (dt.datetime,),
    "date": (dt.date,),
}


class Place(msgspec.Struct, frozen=True, array_like=True):
    """What a page ended with."""

    place: str | int | float | None
    key: str
    near: bool
    order: str


class Searcher(SearchIndex[T], Generic[T]):
    """Implements `shoal.SearchIndex`."""

    def __init__(self, service: str, kind: type[T], search: Search | None) -> None:
        self._service, self._kind, self._search = service, kind, search
        self._codec = codec.Codec(kind)
        self._shape = shape_of(kind)
        self._fields = {field.name: field for field in self._shape.fields}

    async def search(
        self,
        text: str = "",
        *,
        where: Mapping[str, Any] | None = None,
        facets: Sequence[str | Facet] = (),
        order: str = "",
        limit: int = 20,
        after: str | int = "",
        guess: bool = True,
    ) -> Hits[T]:
        """Find records; when none has the words, those with words like them."""
        offset = after if isinstance(after, int) else 0
        self._check(order, limit, offset, facets)
        place = _read(after, order) if isinstance(after, str) and after else None
        wanted = terms(text)
        if len(wanted.words) + len(wanted.unwanted) > MOST_WORDS:
            raise Problem(400, "too-many-words", f"a search takes at most {MOST_WORDS} words")
        query = SearchQuery(
            shape=self._shape,
            terms=wanted,
            near=place is not None and place.near,
            where={field: self._wanted(field, value) for field, value in (where or {}).items()},
            facets=tuple(map(self._facet, facets)),
            order=order,
            limit=limit + 1,
            offset=offset,
            after=None if place is None else (place.place, place.key),
        )
        answer = await self._engine.search(query)
        if guess and place is None and not answer.total and wanted.wanted:
            query = msgspec.structs.replace(query, near=True)
            answer = await self._engine.search(query)
        return self._hits(answer, query, facets)

    async def suggest(self, prefix: str, *, limit: int = 8) -> Sequence[str]:
        """Complete; when nothing goes on like that, by what is like it."""
        if not self._shape.suggest or not 1 <= limit <= MOST_HITS:
            lack = f"asks for {limit}" if self._shape.suggest else "marks no field"
            raise Undeclared(
                f"index {self._shape.name} {lack} to suggest",
                hint=f"mark one: Annotated[str, FullText(suggest=True)], and ask for 1 to {MOST_HITS}",
            )
        asked = prefix[:MOST_HITS]
        found = await self._engine.suggest(self._shape, asked, limit)
        return tuple(found or await self._engine.suggest(self._shape, asked, limit, near=True))

    @property
    def _engine(self) -> Search:
        if self._search is None:  # as in a rehearsal, which reaches nothing outside the store
            raise Unavailable(f"service {self._service} has no indexes here")
        return self._search

    def _hits(self, answer: SearchAnswer, query: SearchQuery, facets: Sequence[str | Facet]) -> Hits[T]:
        shown = answer.hits[: query.limit - 1]
        more = len(answer.hits) > len(shown)
        return Hits(
            hits=[self._hit(hit) for hit in shown],
            total=answer.total,
            next=_spell(shown[-1], query) if more else "",
            facets={
                (asked := _facet(each)).field: [_counted(asked, value, count) for value, count in counts]
                for each, counts in zip(facets, answer.facets, strict=True)
            },
            guessed=query.near and answer.total > 0,
        )

    def _hit(self, hit: SearchHit) -> Hit[T]:
        try:
            item = self._codec.decode(hit.body.encode())
        except codec.Malformed as error:
            raise EngineError(
                f"document {hit.key} of index {self._shape.name} is no {self._kind.__name__}: {error}",
                hint="let its fields accept what was indexed; the index is built anew when its shape changes",
            ) from error
        return Hit(item=item, score=hit.score, highlights={f: _marked(text) for f, text in hit.highlights.items()})

    def _check(self, order: str, limit: int, offset: int, facets: Sequence[str | Facet]) -> None:
        if offset > DEEPEST - MOST_HITS - 1:
            raise Problem(400, "too-deep", f"pages are numbered up to {DEEPEST:,} hits; ask for fewer with more words")
        if not 1 <= limit <= MOST_HITS or offset < 0 or len(facets) > MOST_FACETS:
            raise Undeclared(
                f"index {self._shape.name} is asked for {limit} hits from {offset}, and {len(facets)} facets",
                hint=f"ask for 1 to {MOST_HITS} hits, {MOST_FACETS} facets, from 0 on",
            )
        if order:
            self._kind_of(order.removeprefix("-"))

    def _kind_of(self, name: str) -> FieldKind:
        field = self._fields.get(name)
        if field is None or field.kind == "text":
            known = ", ".join(each.name for each in self._shape.fields if each.kind != "text")
            what = "has no field" if field is None else "searches, and neither filters nor orders by,"
            raise Undeclared(f"index {self._shape.name} {what} {name!r}", hint=f"there are: {known or 'none'}")
        return field.kind

    def _wanted(self, name: str, value: Any) -> object:
        kind = self._kind_of(name)
        if isinstance(value, Between):
            return Span(least=self._plain(name, kind, value.least), below=self._plain(name, kind, value.below))
        if isinstance(value, Sequence) and not isinstance(value, str):
            return tuple(self._plain(name, kind, each) for each in value)
        return self._plain(name, kind, value)

    def _plain(self, name: str, kind: FieldKind, value: Any) -> object:
        plain = value.value if isinstance(value, Enum) else value
        fits = plain is None or (isinstance(plain, _TYPES[kind]) and not isinstance(plain, bool))
        if not fits or (kind == "integer" and plain is not None and not -(2**63) <= plain < 2**63):
            raise Undeclared(f"index {self._shape.name} is asked where {name!r} is {value!r}", hint=f"it is {kind}")
        return plain.replace("\0", "") if isinstance(plain, str) else plain

    def _facet(self, said: str | Facet) -> FacetAsked:
        facet = _facet(said)
        kind = self._kind_of(facet.field)
        spans = tuple(
            Span(least=self._plain(facet.field, kind, r.least), below=self._plain(facet.field, kind, r.below))
            for r in facet.ranges
        )
        return FacetAsked(field=facet.field, spans=spans, limit=min(max(facet.limit, 1), MOST_COUNTED))


def _facet(said: str | Facet) -> Facet:
    return Facet(said) if isinstance(said, str) else said


def _counted(asked: Facet, value: object, count: int) -> Counted:
    return Counted(value=asked.ranges[int(str(value))] if asked.ranges else value, count=count)


def _marked(text: str) -> str:
    """Turn a highlight into HTML that holds no other tags."""
    return html.escape(text).replace(OPEN, "<em>").replace(CLOSE, "</em>")


def _spell(hit: SearchHit, query: SearchQuery) -> str:
    place = hit.place if isinstance(hit.place, str | int | float | None) else str(hit.place)
    spelled = msgspec.json.encode(Place(place=place, key=hit.key, near=query.near, order=query.order))
    return urlsafe_b64encode(spelled).decode().rstrip("=")


def _read(after: str, order: str) -> Place:
    try:
        place = msgspec.json.decode(urlsafe_b64decode(after + "=" * (-len(after) % 4)), type=Place)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise Problem(400, "bad-cursor", "`after` is not what a page ended with") from error
    if place.order != order:
        raise Problem(400, "bad-cursor", "`after` belongs to another order")
    return place
