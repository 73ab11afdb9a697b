"""The part of OpenSearch's request bodies that the driver may use, as documented; anything else is refused.

https://docs.opensearch.org/latest/api-reference/ and https://docs.opensearch.org/latest/query-dsl/. Elasticsearch's
own pages describe the same.
"""

from typing import Annotated, Any, Literal

import msgspec


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body with these fields and no others."""


Scalar = bool | int | float | str


class Property(Shape, frozen=True, kw_only=True):
    type: Literal["text", "keyword", "long", "integer", "double", "boolean", "object"]
    analyzer: str = ""
    ignore_above: int | None = None
    enabled: bool = True
    fields: dict[str, "Property"] = {}


class Mappings(Shape, frozen=True, kw_only=True):
    dynamic: Literal["strict"]
    properties: dict[str, Property]


class Analyzer(Shape, frozen=True, kw_only=True):
    type: Literal["custom"]
    tokenizer: Literal["whitespace"]
    filter: list[str] = []


class Filter(Shape, frozen=True, kw_only=True):
    type: Literal["stemmer"]
    language: str


class Analysis(Shape, frozen=True, kw_only=True):
    analyzer: dict[str, Analyzer]
    filter: dict[str, Filter] = {}


class Settings(Shape, frozen=True, kw_only=True):
    analysis: Analysis
    number_of_shards: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 1
    number_of_replicas: Annotated[int, msgspec.Meta(ge=0)] = 1


class Create(Shape, frozen=True, kw_only=True):
    settings: Settings
    mappings: Mappings
    aliases: dict[str, dict[str, Any]] = {}


class Add(Shape, frozen=True, kw_only=True):
    index: str
    alias: str


class RemoveIndex(Shape, frozen=True, kw_only=True):
    index: str


class Action(Shape, frozen=True, kw_only=True):
    add: Add | None = None
    remove_index: RemoveIndex | None = None


class Aliases(Shape, frozen=True, kw_only=True):
    actions: Annotated[list[Action], msgspec.Meta(min_length=1)]


class Target(Shape, frozen=True, kw_only=True):
    index: str = msgspec.field(name="_index")
    id: Annotated[str, msgspec.Meta(min_length=1)] = msgspec.field(name="_id")
    version: Annotated[int, msgspec.Meta(ge=0)]
    version_type: Literal["external"]


class Operation(Shape, frozen=True, kw_only=True):
    index: Target


class Range(Shape, frozen=True, kw_only=True):
    gt: Scalar | None = None
    gte: Scalar | None = None
    lt: Scalar | None = None


class Exists(Shape, frozen=True, kw_only=True):
    field: str


class Match(Shape, frozen=True, kw_only=True):
    query: str
    operator: Literal["and", "or"] = "or"
    fuzziness: Literal["AUTO"] | None = None


class PhrasePrefix(Shape, frozen=True, kw_only=True):
    query: str
    max_expansions: int = 50


class MultiMatch(Shape, frozen=True, kw_only=True):
    query: str
    fields: Annotated[list[str], msgspec.Meta(min_length=1)]
    type: Literal["best_fields", "phrase"] = "best_fields"
    operator: Literal["and", "or"] = "or"
    fuzziness: Literal["AUTO"] | None = None
    max_expansions: int = 50


class Bool(Shape, frozen=True, kw_only=True):
    filter: list["Clause"] = []
    must: list["Clause"] = []
    must_not: list["Clause"] = []
    should: list["Clause"] = []
    minimum_should_match: int | None = None


class Clause(Shape, frozen=True, kw_only=True):
    """One clause; it has exactly one of these."""

    bool: Bool | None = None
    term: dict[str, Scalar] | None = None
    terms: dict[str, list[Scalar]] | None = None
    range: dict[str, Range] | None = None
    exists: Exists | None = None
    match: dict[str, Match] | None = None
    match_all: Shape | None = None
    match_phrase_prefix: dict[str, PhrasePrefix] | None = None
    multi_match: MultiMatch | None = None

    def __post_init__(self) -> None:
        if sum(getattr(self, name) is not None for name in self.__struct_fields__) != 1:
            raise ValueError("a clause has one kind")
        for named in (self.term, self.terms, self.range, self.match, self.match_phrase_prefix):
            if named is not None and len(named) != 1:
                raise ValueError("a clause has one field")


class Terms(Shape, frozen=True, kw_only=True):
    field: str
    size: Annotated[int, msgspec.Meta(ge=1)]
    order: list[dict[str, Literal["asc", "desc"]]]


class Filters(Shape, frozen=True, kw_only=True):
    filters: list[Clause]


class Aggregation(Shape, frozen=True, kw_only=True):
    terms: Terms | None = None
    filter: Clause | None = None
    filters: Filters | None = None


class Order(Shape, frozen=True, kw_only=True):
    order: Literal["asc", "desc"]
    missing: Literal["_last"] = "_last"


class Highlighted(Shape, frozen=True, kw_only=True):
    number_of_fragments: Literal[0]


class Highlight(Shape, frozen=True, kw_only=True):
    pre_tags: list[str]
    post_tags: list[str]
    fields: dict[str, Highlighted]


class Collapse(Shape, frozen=True, kw_only=True):
    field: str


class Search(Shape, frozen=True, kw_only=True):
    query: Clause
    size: Annotated[int, msgspec.Meta(ge=0)]
    sort: list[dict[str, Order | Literal["asc", "desc"]]]
    start: Annotated[int, msgspec.Meta(ge=0)] = msgspec.field(name="from", default=0)
    search_after: list[Scalar] | None = None
    """Without nulls: they are not told right by every version."""
    post_filter: Clause | None = None
    track_scores: bool = False
    track_total_hits: bool = True
    source: list[str] = msgspec.field(name="_source")
    aggs: dict[str, Aggregation] = {}
    highlight: Highlight | None = None
    collapse: Collapse | None = None

    def __post_init__(self) -> None:
        if self.start + self.size > 10_000:
            raise ValueError("Result window is too large, from + size must be less than or equal to: [10000]")
        if self.search_after is not None and (self.start or len(self.search_after) != len(self.sort)):
            raise ValueError("search_after has one value for each sort, and no from")
