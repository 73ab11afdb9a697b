"""What authors write to have records found by words, and what handlers ask."""

import datetime as dt
import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Generic, Literal, Protocol, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from shoal.errors import DeclarationError
from shoal.model.search import FieldKind, IndexField
from shoal.model.search import SearchIndex as IndexModel
from shoal.service.marks import check_kinds, field_names, placed, record_mark
from shoal.service.personal import refuse_personal
from shoal.service.source import of_caller, of_class
from shoal.service.warehouse import bare

C = TypeVar("C")
T = TypeVar("T")

Plain = str | int | float | dt.datetime | dt.date | None


class FullText(msgspec.Struct, frozen=True, kw_only=True):
    """Marks a text whose words are searched: ``name: Annotated[str, FullText(weight=4)]``."""

    weight: float = 1.0
    """How much a word counts here, beside other texts; an index tells four weights apart."""
    suggest: bool = False
    """Whether it is what `SearchIndex.suggest` offers; one field of an index is."""


class Unindexed(msgspec.Struct, frozen=True):
    """Marks a field that hits bring along and nobody searches, filters or orders by."""


class Between(msgspec.Struct, frozen=True):
    """Values from `least` on and below `below`; None is without end."""

    least: Plain = None
    below: Plain = None


class Facet(msgspec.Struct, frozen=True):
    """What to count hits by: the values of a field, or ranges of it."""

    field: str
    ranges: tuple[Between, ...] = ()
    """Each counted alone; the most frequent values are counted when there are none."""
    limit: int = 20
    """Most values."""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many hits have a value, or one in a range."""

    value: Any
    """The value, or its `Between`."""
    count: int


class Hit(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One record that was found."""

    item: T
    """As it was when the index took it."""
    score: float
    """The greater the better; engines count differently, so compare it within one answer only."""
    highlights: Mapping[str, str] = {}
    """By field: its text as HTML, escaped, with ``<em>`` around what was found."""


class Hits(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One page of what was found."""

    hits: Sequence[Hit[T]]
    total: int
    next: str = ""
    """Where the next page begins, for `after`; empty on the last one."""
    facets: Mapping[str, Sequence[Counted]] = {}
    """By field, over all hits, on this page or not."""
    guessed: bool = False
    """Whether nothing has the words as they were written, and these have words like them."""


class SearchIndex(Protocol[T]):
    """Finds records of one type by their words. What was written is found soon after its commit, not with it."""

    async def search(
        self,
        text: str = "",
        *,
        where: Mapping[str, Plain | Sequence[Plain] | Between] | None = None,
        facets: Sequence[str | Facet] = (),
        order: str = "",
        limit: int = 20,
        after: str | int = "",
        guess: bool = True,
    ) -> Hits[T]:
        """Find records.

        Args:
            text: Words that must all be there, ``"phrases"`` and ``-words`` that must not; nothing finds everything.
            where: Field → value that it must equal, several of which any will do, or `Between`. No texts.
            facets: What to count all hits by.
            order: A field, a leading ``-`` means descending; the best first when nothing is said.
            limit: 1 to 200 hits.
            after: `Hits.next` of the page before; or, where pages have numbers, how many hits to pass over, of which
                there may be 10,000.
            guess: Whether, when nothing has the words, what has words like them will do.

        Raises:
            Undeclared: The index has no such field, or none of that kind.
            Problem: 400 for what callers hand on: `after` is too deep or no page of this question, or over 32 words.
            Unavailable: The engine is away, or the index is being built for the first time.
        """
        ...

    async def suggest(self, prefix: str, *, limit: int = 8) -> Sequence[str]:
        """Complete what somebody begins to type to texts of the field that is marked so, in spite of slips."""
        ...


class IndexMark(msgspec.Struct, frozen=True, kw_only=True):
    """What `search_index` says about a class."""

    index: IndexModel


def search_index(name: str, *, language: str = "simple") -> Callable[[type[C]], type[C]]:
    """Have the records of a class found by their words; write it above ``@record``.

    Texts are searched where they are marked with `FullText`. Other texts, whole numbers, numbers, times and dates are
    there to filter, count and order by; what is of another type, or marked `Unindexed`, is only brought along.

    Args:
        name: Of the index: lower-case letters, digits and ``_``.
        language: Whose endings of words are taken off: ``english``, ``german`` and so on; ``simple`` takes none.
    """

    def mark(cls: type[C]) -> type[C]:
        place = of_class(cls)
        with placed(place):
            marked = _index(cls, name, language, place)
        cls.__shoal_index__ = IndexMark(index=marked)  # type: ignore[attr-defined]
        return cls

    return mark


class SearchDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """A service's indexes, as classes."""

    indexes: tuple[type, ...]
    production: str = ""
    why: str = ""


def PostgresSearch(*, indexes: Sequence[type], why: str = "") -> SearchDeclaration:  # noqa: N802 - reads as the engine
    """Find records by words with PostgreSQL's full text search, in the service's own database.

    A service whose store is elsewhere gets a database for its indexes alone.

    Args:
        indexes: Classes declared with `search_index`.
        why: Why this engine suits the service, for the documents.
    """
    return _declared("PostgresSearch", indexes, "", why, of_caller()[1])


def OpenSearch(*, indexes: Sequence[type], why: str = "") -> SearchDeclaration:  # noqa: N802 - reads as the engine
    """Find records by words, in production with OpenSearch or Elasticsearch.

    A laptop finds them with PostgreSQL's full text search, unless ``--engine SERVICE.search=opensearch`` is said.

    Args:
        indexes: Classes declared with `search_index`.
        why: Why this engine suits the service, for the documents.
    """
    return _declared("OpenSearch", indexes, "opensearch", why, of_caller()[1])


def index_mark(cls: type) -> IndexMark:
    """Return what `search_index` said about a class, or raise `DeclarationError`."""
    found = cls.__dict__.get("__shoal_index__")
    if isinstance(found, IndexMark):
        return found
    raise DeclarationError(
        f"{cls.__name__} is no index", hint='decorate it: @search_index("products")', where=of_class(cls)
    )


def is_indexed(cls: type) -> bool:
    """Tell whether a class was declared with `search_index`."""
    return isinstance(cls.__dict__.get("__shoal_index__"), IndexMark)


def searchable(declared: SearchDeclaration | None) -> set[Any]:
    """Return what handlers may ask for to search."""
    return {SearchIndex[kind] for kind in declared.indexes} if declared is not None else set()  # type: ignore[valid-type]


def _declared(said: str, indexes: Sequence[type], production: str, why: str, place: str) -> SearchDeclaration:
    check_kinds(said, {"indexes": indexes}, {"indexes": Sequence[type]}, place)
    with placed(place):
        for kind in indexes:
            index_mark(kind)
    return SearchDeclaration(indexes=tuple(indexes), production=production, why=why)


def _index(cls: type, name: str, language: str, place: str) -> IndexModel:
    table = record_mark(cls)
    refuse_personal(cls, "index")
    hints = get_type_hints(cls, include_extras=True)
    if bare(hints[table.key]) is not str or table.expires:
        raise DeclarationError(
            f"{cls.__name__} cannot be indexed: its key is no str, or it expires",
            hint="give it a key of type str, and delete it when its time is over",
        )
    kinds = {field: _kind(cls, field, hints[field]) for field in field_names(cls)}
    texts = {field: said for field in kinds if (said := _said(hints[field], FullText))}
    suggested = [field for field, said in texts.items() if said.suggest]
    if len(suggested) > 1:
        raise DeclarationError(f"index {name} suggests {' and '.join(suggested)}", hint="mark one of them")
    fields = tuple(
        IndexField(name=field, kind=kind, weight=texts[field].weight if field in texts else 1.0)
        for field, kind in kinds.items()
        if kind is not None
    )
    suggest = "".join(suggested)
    return IndexModel(
        name=name, record=table.table, fields=fields, language=language, suggest=suggest, source=place
    )  # fmt: skip


def _kind(cls: type, field: str, hint: Any) -> FieldKind | None:
    plain, text = bare(hint), _said(hint, FullText)
    if text is not None and plain is not str:
        raise DeclarationError(f"{field!r} of {cls.__name__} is marked as a text and is none", hint="use str")
    if _said(hint, Unindexed) is not None:
        return None
    if text is not None:
        return "text"
    if get_origin(plain) is Literal and all(isinstance(value, str) for value in get_args(plain)):
        return "keyword"
    if isinstance(plain, type) and issubclass(plain, enum.Enum) and all(isinstance(v.value, str) for v in plain):
        return "keyword"
    return _KINDS.get(plain) if isinstance(plain, type) else None


_KINDS: Mapping[type, FieldKind] = {
    str: "keyword",
    int: "integer",
    float: "number",
    dt.datetime: "time",
    dt.date: "date",
}


def _said(hint: Any, kind: type[C]) -> C | None:
    """Find a mark in an annotation, also within ``Annotated[...] | None``."""
    if get_origin(hint) is Annotated:
        found = next((mark for mark in get_args(hint)[1:] if isinstance(mark, kind)), None)
        return found if found is not None else _said(get_args(hint)[0], kind)
    return next((found for option in get_args(hint) if (found := _said(option, kind)) is not None), None)
