"""Questions in OpenSearch's language, and what it answers. Pure."""

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from shoal.drivers.base.search import FacetAsked, SearchAnswer, SearchHit, SearchQuery, SearchShape, Span
from shoal.drivers.base.words import CLOSE, OPEN, marked
from shoal.drivers.opensearch.index import arrived, plain, text, travelling

_MOST_CLAUSES = 1000
"""Below what a cluster takes in one question: 1,024, words that are alike included."""

_LIKE = 50
"""Words that one misspelt word may stand for, which is what OpenSearch takes by itself."""

_BEGINNINGS = 1000
"""Words that one beginning may stand for."""

Clause = dict[str, Any]


class _Kept(msgspec.Struct, frozen=True):
    body: str
    texts: dict[str, str]


class _Hit(msgspec.Struct, frozen=True, rename={"source": "_source", "score": "_score"}):
    source: dict[str, Any]
    score: float | None = None
    highlight: dict[str, list[str]] = {}


class _Hits(msgspec.Struct, frozen=True):
    hits: list[_Hit]


class _Bucket(msgspec.Struct, frozen=True):
    doc_count: int
    key: str | int | float | None = None


class _Counts(msgspec.Struct, frozen=True):
    doc_count: int = 0
    buckets: list[_Bucket] = []


class _Found(msgspec.Struct, frozen=True):
    hits: _Hits
    aggregations: dict[str, _Counts] = {}


def asked(query: SearchQuery) -> Clause:
    """Write a question.

    A page of hits in the order of a field begins behind a filter of the hits alone (``post_filter``), not behind
    ``search_after``, which several versions do not get right where values are missing. So all hits are counted by an
    aggregation, which does not see that filter.
    """
    name, down = query.order.lstrip("-"), query.order.startswith("-") or not query.order
    ordered = {plain(name): {"order": "desc" if down else "asc", "missing": "_last"}} if name else {"_score": "desc"}
    kept = ["key", "kept", *([plain(name)] if name else [])]
    body: Clause = {
        "query": {"bool": _conditions(query)},
        "sort": [ordered, {"key": "asc"}],
        "size": query.limit,
        "track_scores": True,
        "track_total_hits": False,
        "_source": kept,
        "aggs": {
            "total": {"filter": {"match_all": {}}},
            **{f"facet{n}": _facet(facet) for n, facet in enumerate(query.facets)},
        },
    }
    if query.terms.wanted:
        whole = {_spelled(field.name, near=query.near): {"number_of_fragments": 0} for field in query.shape.texts}
        body["highlight"] = {"pre_tags": [OPEN], "post_tags": [CLOSE], "fields": whole}
    if query.after is None:
        body["from"] = query.offset
    elif name:
        body["post_filter"] = _behind(plain(name), *query.after, down=down)
    else:
        body["search_after"] = list(query.after)
    return body


def preference(query: SearchQuery) -> str:
    """Name a question, whatever the page: the same one is answered by the same copy, whose scores are the same."""
    said = msgspec.json.encode((query.terms, query.near, sorted(query.where)))
    return f"q{hashlib.sha256(said).hexdigest()[:16]}"


def found(answer: bytes, query: SearchQuery) -> SearchAnswer:
    """Read what was found."""
    read = msgspec.json.decode(answer, type=_Found)
    kinds = {field.name: field.kind for field in query.shape.fields}
    counts: list[tuple[tuple[object, int], ...]] = []
    for number, facet in enumerate(query.facets):
        buckets = read.aggregations[f"facet{number}"].buckets
        if facet.spans:
            counts.append(tuple((n, bucket.doc_count) for n, bucket in enumerate(buckets)))
        else:
            counts.append(tuple((arrived(bucket.key, kinds[facet.field]), bucket.doc_count) for bucket in buckets))
    hits = [_hit(hit, query) for hit in read.hits.hits]
    return SearchAnswer(hits=hits, total=read.aggregations["total"].doc_count, facets=tuple(counts))


def suggesting(shape: SearchShape, folded: str, limit: int, *, near: bool) -> Clause:
    """Ask for texts that go on like what somebody began to type, each once."""
    field = f"{text(shape.suggest)}.words"
    matching: Clause = (
        {"match": {field: {"query": folded, "operator": "and", "fuzziness": "AUTO"}}}
        if near
        else {"match_phrase_prefix": {field: {"query": folded, "max_expansions": _BEGINNINGS}}}
    )
    alive = [{"term": {"live": True}}, {"exists": {"field": "suggest"}}]
    return {
        "query": {"bool": {"filter": alive, "must": [matching]}},
        "collapse": {"field": "suggest"},
        "sort": [*([{"_score": "desc"}] if near else []), {"suggest": "asc"}],
        "size": limit,
        "track_total_hits": False,
        "_source": ["suggest"],
    }


def suggested(answer: bytes) -> Sequence[str]:
    """Read suggestions."""
    return [str(hit.source["suggest"]) for hit in msgspec.json.decode(answer, type=_Found).hits.hits]


def _conditions(query: SearchQuery) -> Clause:
    near, texts = query.near, query.shape.texts
    weighed = [f"{_spelled(field.name, near=near)}^{field.weight:g}" for field in texts]
    if near:
        each = max(1, min(_LIKE, _MOST_CLAUSES // max(1, len(query.terms.words) * len(weighed))))
        wanted = [_like(word, weighed, each) for word in query.terms.words]
    else:
        wanted = [_phrase(part, weighed) for part in query.terms.wanted]
    unwanted = [_phrase(part, [text(field.name) for field in texts]) for part in query.terms.unwanted]
    filters = [_condition(plain(name), value) for name, value in query.where.items()]
    return {"filter": [{"term": {"live": True}}, *filters], "must": wanted, "must_not": unwanted}


def _phrase(part: Sequence[str], fields: Sequence[str]) -> Clause:
    return {"multi_match": {"query": " ".join(part), "fields": list(fields), "type": "phrase"}}


def _like(word: str, fields: Sequence[str], expansions: int) -> Clause:
    said = {"query": word, "fields": list(fields), "operator": "and"}
    return {"multi_match": {**said, "type": "best_fields", "fuzziness": "AUTO", "max_expansions": expansions}}


def _spelled(field: str, *, near: bool) -> str:
    """Name what a text is searched by: without endings, or, for slips of the pen, as it was written."""
    return f"{text(field)}.words" if near else text(field)


def _condition(field: str, wanted: object) -> Clause:
    if wanted is None:
        return {"bool": {"must_not": [{"exists": {"field": field}}]}}
    if isinstance(wanted, Span):
        bounds = {"gte": travelling(wanted.least), "lt": travelling(wanted.below)}
        given = {bound: value for bound, value in bounds.items() if value is not None}
        return {"range": {field: given}} if given else {"exists": {"field": field}}
    if isinstance(wanted, tuple):
        return {"terms": {field: [travelling(each) for each in wanted]}}
    return {"term": {field: travelling(wanted)}}


def _behind(field: str, place: object, key: str, *, down: bool) -> Clause:
    later: Clause = {"range": {"key": {"gt": key}}}
    without: Clause = {"bool": {"must_not": [{"exists": {"field": field}}]}}
    if place is None:
        return {"bool": {"filter": [without, later]}}
    further: Clause = {"range": {field: {"lt" if down else "gt": place}}}
    beside: Clause = {"bool": {"filter": [{"term": {field: place}}, later]}}
    return {"bool": {"should": [further, beside, without], "minimum_should_match": 1}}


def _facet(facet: FacetAsked) -> Clause:
    """Count; ranges by filters, since OpenSearch's own ranges count whole numbers as floating ones."""
    name = plain(facet.field)
    if facet.spans:
        return {"filters": {"filters": [_condition(name, span) for span in facet.spans]}}
    return {"terms": {"field": name, "size": facet.limit, "order": [{"_count": "desc"}, {"_key": "asc"}]}}


def _hit(hit: _Hit, query: SearchQuery) -> SearchHit:
    kept = msgspec.convert(hit.source["kept"], _Kept)
    score = hit.score or 0.0
    return SearchHit(
        key=str(hit.source["key"]),
        body=kept.body,
        score=score,
        place=hit.source.get(plain(query.order.lstrip("-"))) if query.order else score,
        highlights=_highlights(hit, kept, query),
    )


def _highlights(hit: _Hit, kept: _Kept, query: SearchQuery) -> dict[str, str]:
    """Mark in the original texts the words that were marked in the folded ones."""
    shown = {}
    for field in query.shape.texts:
        fragments = hit.highlight.get(_spelled(field.name, near=query.near))
        if fragments:
            shown[field.name] = marked(kept.texts[field.name], _marks(fragments))
    return shown


def _marks(fragments: Sequence[str]) -> Collection[str]:
    parts = [part.partition(CLOSE)[0] for fragment in fragments for part in fragment.split(OPEN)[1:]]
    return {word for part in parts for word in part.split()}
