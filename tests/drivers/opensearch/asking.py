"""How a played cluster answers a search."""

import struct
from collections import Counter
from functools import cmp_to_key
from typing import Any

import msgspec

from tests.drivers.opensearch.index import Index, Refused, Source
from tests.drivers.opensearch.shapes import Aggregation, Clause, Highlight, MultiMatch, Order, Range, Search
from tests.drivers.opensearch.words import alike, places

Marks = dict[str, set[int]]
"""By field, the places of the words that were found."""


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """That a document is one of those that were asked for."""

    source: Source
    score: float = 0.0
    marks: Marks = {}


def answer(index: Index, search: Search) -> object:
    """Answer a search."""
    found = [match for source in index.seen.values() if (match := _match(index, search.query, source)) is not None]
    found = [msgspec.structs.replace(match, score=_single(match.score)) for match in found]
    shown = [m for m in found if search.post_filter is None or _match(index, search.post_filter, m.source)]
    shown.sort(key=cmp_to_key(lambda one, other: _compare(index, search, one, _places(search, other))))
    if search.collapse is not None:
        field = search.collapse.field
        index.plain(field)
        shown = list({match.source.get(field): match for match in reversed(shown)}.values())[::-1]
    if search.search_after is not None:
        shown = [match for match in shown if _compare(index, search, match, search.search_after) > 0]
    page = shown[search.start : search.start + search.size]
    return {
        "took": 1,
        "timed_out": False,
        "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
        "hits": {"max_score": None, "hits": [_hit(index, search, match) for match in page]},
        "aggregations": {name: _counted(index, asked, found) for name, asked in search.aggs.items()},
    }


def _compare(index: Index, search: Search, one: Match, other: list[Any]) -> int:
    """Compare by each sort in turn; what has no value comes last in either direction."""
    for key, mine, theirs in zip(search.sort, _places(search, one), other, strict=True):
        ((name, said),) = key.items()
        if name != "_score":
            index.plain(name)
        if mine == theirs:
            continue
        if mine is None or theirs is None:
            return 1 if mine is None else -1
        down = (said.order if isinstance(said, Order) else said) == "desc"
        return 1 if (mine < theirs) == down else -1
    return 0


def _places(search: Search, match: Match) -> list[Any]:
    return [match.score if name == "_score" else match.source.get(name) for key in search.sort for name in key]


def _hit(index: Index, search: Search, match: Match) -> object:
    scored = search.track_scores or any("_score" in key for key in search.sort)
    hit = {
        "_index": "played",
        "_id": match.source.get("key"),
        "_score": match.score if scored else None,
        "_source": {name: value for name, value in match.source.items() if name in search.source},
        "sort": _places(search, match),
    }
    if search.highlight is not None:
        marked = {f: _marked(index, f, match, search.highlight) for f in search.highlight.fields if match.marks.get(f)}
        hit["highlight"] = marked
    return hit


def _marked(index: Index, field: str, match: Match, highlight: Highlight) -> list[str]:
    """Mark the words of the whole text, as it was sent."""
    words = str(match.source[field.partition(".")[0]]).split()
    (begin,), (end,) = highlight.pre_tags, highlight.post_tags
    return [" ".join(f"{begin}{w}{end}" if n in match.marks[field] else w for n, w in enumerate(words))]


def _counted(index: Index, asked: Aggregation, found: list[Match]) -> object:
    if asked.filter is not None:
        return {"doc_count": sum(_match(index, asked.filter, match.source) is not None for match in found)}
    if asked.filters is not None:
        return {
            "buckets": [
                {"doc_count": sum(_match(index, clause, match.source) is not None for match in found)}
                for clause in asked.filters.filters
            ]
        }
    assert asked.terms is not None
    index.plain(asked.terms.field)
    if asked.terms.order != [{"_count": "desc"}, {"_key": "asc"}]:
        raise Refused(400, "played", "only this order is played")
    counts = Counter(v for match in found if (v := match.source.get(asked.terms.field)) is not None)
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[: asked.terms.size]
    return {"sum_other_doc_count": 0, "buckets": [{"key": key, "doc_count": count} for key, count in ordered]}


def _match(index: Index, clause: Clause, source: Source) -> Match | None:
    """Ask one clause of one document."""
    if clause.bool is not None:
        return _bool(index, clause, source)
    if clause.multi_match is not None:
        return _multi_match(index, clause.multi_match, source)
    if clause.match is not None:
        ((field, asked),) = clause.match.items()
        said = MultiMatch(query=asked.query, fields=[field], operator=asked.operator, fuzziness=asked.fuzziness)
        return _multi_match(index, said, source)
    if clause.match_phrase_prefix is not None:
        ((field, prefix),) = clause.match_phrase_prefix.items()
        return Match(source=source, score=1.0) if _begins(index, field, prefix.query, source) else None
    return Match(source=source, score=1.0) if _fits(index, clause, source) else None


def _fits(index: Index, clause: Clause, source: Source) -> bool:
    """Ask what gives no scores."""
    if clause.exists is not None:
        index.kind(clause.exists.field)
        return source.get(clause.exists.field) is not None
    if clause.term is not None:
        ((field, wanted),) = clause.term.items()
        index.plain(field)
        return bool(source.get(field) == wanted)
    if clause.terms is not None:
        ((field, several),) = clause.terms.items()
        index.plain(field)
        return source.get(field) in several
    if clause.range is not None:
        ((field, bounds),) = clause.range.items()
        index.plain(field)
        return source.get(field) is not None and _within(source[field], bounds)
    return clause.match_all is not None


def _within(value: Any, bounds: Range) -> bool:
    return (
        (bounds.gt is None or value > bounds.gt)
        and (bounds.gte is None or value >= bounds.gte)
        and (bounds.lt is None or value < bounds.lt)
    )


def _bool(index: Index, clause: Clause, source: Source) -> Match | None:
    asked = clause.bool
    assert asked is not None
    needed = [_match(index, each, source) for each in (*asked.must, *asked.filter)]
    if None in needed or any(_match(index, each, source) for each in asked.must_not):
        return None
    options = [match for each in asked.should if (match := _match(index, each, source))]
    least = asked.minimum_should_match
    if len(options) < ((0 if asked.must or asked.filter else min(1, len(asked.should))) if least is None else least):
        return None
    scored = [match for match in (*needed[: len(asked.must)], *options) if match is not None]
    marks: Marks = {}
    for match in scored:
        for field, found in match.marks.items():
            marks[field] = marks.get(field, set()) | found
    return Match(source=source, score=sum(match.score for match in scored), marks=marks)


def _multi_match(index: Index, asked: MultiMatch, source: Source) -> Match | None:
    """Take the best of the fields; a word that is there more often counts for more, but less and less."""
    if asked.type == "phrase" and asked.fuzziness is not None:
        raise Refused(400, "parsing_exception", "Fuzziness not allowed for type [phrase]")
    scores, marks = [], {}
    for spelled in asked.fields:
        field, _, boost = spelled.partition("^")
        found = _found(index, field, asked, source)
        if found:
            marks[field] = found
            scores.append(float(boost or 1) * len(found) / (len(found) + 1))
    return Match(source=source, score=max(scores), marks=marks) if scores else None


def _found(index: Index, field: str, asked: MultiMatch, source: Source) -> set[int]:
    tokens = index.tokens(field, source)
    wanted = index.analyzed(index.kind(field).analyzer, asked.query)
    if asked.type == "phrase":
        return {n + offset for n in places(tokens, wanted) for offset in range(len(wanted))}
    hits = [
        {n for n, token in enumerate(tokens) if (alike(word, token) if asked.fuzziness else word == token)}
        for word in wanted
    ]
    enough = all(hits) if asked.operator == "and" else any(hits)
    return set().union(*hits) if enough else set()


def _begins(index: Index, field: str, text: str, source: Source) -> bool:
    """Find words that follow each other, the last of which may go on."""
    tokens, wanted = index.tokens(field, source), index.analyzed(index.kind(field).analyzer, text)
    *whole, beginning = wanted
    starts = places(tokens, whole) if whole else range(len(tokens))
    ends = {n + len(whole) for n in starts if n + len(whole) < len(tokens)}
    return any(tokens[n].startswith(beginning) for n in ends)


def _single(score: float) -> float:
    """Round as a score is: to single precision."""
    (rounded,) = struct.unpack("f", struct.pack("f", score))
    return float(rounded)
