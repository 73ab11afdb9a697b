"""SQL of indexes: a table for each, with the words of its texts in a generated column. Pure."""

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from shoal.drivers.base.search import FacetAsked, FieldKind, SearchField, SearchQuery, SearchShape, Span
from shoal.drivers.postgres.sql import literal, quote

SCHEMA = """
create schema if not exists shoal_search;
create table if not exists shoal_search.names (name text primary key, physical text not null);
create extension if not exists pg_trgm;
"""
"""PostgreSQL lets the owner of a database add this extension."""

TYPES: Mapping[FieldKind, str] = {
    "text": "text",
    "keyword": "text",
    "integer": "bigint",
    "number": "double precision",
    "time": "timestamptz",
    "date": "date",
}

_CLASSES = "ABCD"
"""PostgreSQL's classes of words, the heaviest first."""


class Params:
    """Collects the values of a statement, which never become part of its text."""

    def __init__(self) -> None:
        self.values: list[object] = []

    def add(self, value: object, kind: str) -> str:
        """Return the place of a value."""
        self.values.append(value)
        return f"${len(self.values)}::{kind}"


def place(physical: str) -> str:
    """Name the table of an index."""
    return quote(f"shoal_search.{physical}")


def made(physical: str, shape: SearchShape) -> str:
    """Make an index."""
    fields = "".join(f", {_own(f.name)} {TYPES[f.kind]}" for f in shape.fields)
    folded = "".join(f", {_folded(f.name)} text" for f in shape.texts)
    heavy = _heaviest(shape)
    vectors = [
        f"setweight(to_tsvector({literal(shape.language)}, coalesce({_folded(f.name)}, '')), '{heavy[f.weight]}')"
        for f in shape.texts
    ]
    table = place(physical)
    suggest = f"create index on {table} using gin ({_folded(shape.suggest)} gin_trgm_ops);" if shape.suggest else ""
    return f"""
    drop table if exists {table};
    create table {table} (
        key text collate "C" primary key, version bigint not null, body text, words text{fields}{folded},
        lexemes tsvector generated always as ({" || ".join(vectors)}) stored
    );
    create index on {table} using gin (lexemes);
    create index on {table} using gin (words gin_trgm_ops);
    {suggest}
    """


def written(physical: str, shape: SearchShape) -> str:
    """Write rows given as one list for each column; a removed document keeps its version and nothing else."""
    columns = [
        ("key", "text"), ("version", "bigint"), ("body", "text"), ("words", "text"),
        *((_own(f.name), TYPES[f.kind]) for f in shape.fields), *((_folded(f.name), "text") for f in shape.texts),
    ]  # fmt: skip
    names = ", ".join(name for name, _ in columns)
    lists = ", ".join(f"${n}::{kind}[]" for n, (_, kind) in enumerate(columns, 1))
    news = ", ".join(f"{name} = excluded.{name}" for name, _ in columns[1:])
    return (
        f"insert into {place(physical)} as known ({names}) select * from unnest({lists}) "  # noqa: S608 - quoted names
        f"on conflict (key) do update set {news} where known.version < excluded.version"
    )


def found(query: SearchQuery, params: Params) -> tuple[str, str]:
    """Return the condition of a question, and the score of a row."""
    shape, conditions = query.shape, ["body is not null"]
    language, score = literal(shape.language), "0::float8"
    if query.terms.wanted and query.near:
        places = [params.add(word, "text") for word in query.terms.words]
        conditions += [f"{word} <% words" for word in places]
        score = f"({' + '.join(f'word_similarity({word}, words)' for word in places)})::float8"
    elif query.terms.wanted:
        asked = f"websearch_to_tsquery({language}, {params.add(_spelled(query.terms.wanted), 'text')})"
        conditions.append(f"lexemes @@ {asked}")
        score = f"ts_rank_cd({_weights(shape)}, lexemes, {asked}, 1)"
    for part in query.terms.unwanted:
        spelled = params.add(_spelled((part,)), "text")
        conditions.append(f"not lexemes @@ websearch_to_tsquery({language}, {spelled})")
    kinds = {field.name: field for field in shape.fields}
    conditions += [_condition(kinds[name], wanted, params) for name, wanted in query.where.items()]
    return " and ".join(conditions), f"round({score}::numeric, 6)::float8"


def page(query: SearchQuery, physical: str, params: Params) -> str:
    """Read one page of hits."""
    condition, score = found(query, params)
    fields = {field.name: field for field in query.shape.fields}
    name, down = query.order.lstrip("-"), query.order.startswith("-") or not query.order
    kind = TYPES[fields[name].kind] if name else "float8"
    texts = "".join(f", {_own(f.name)}" for f in query.shape.texts)
    ordered = f"{_own(name)}{_collated(fields[name])}" if name else score
    inner = f"select key, body{texts}, {score} as score, {ordered} as place from {place(physical)} where {condition}"  # noqa: S608
    behind = "true" if query.after is None else _behind(query.after, kind, params, down=down)
    return (
        f"select * from ({inner}) as hits where {behind} "  # noqa: S608
        f"order by place {'desc' if down else 'asc'} nulls last, key "
        f"limit {int(query.limit)} offset {0 if query.after else int(query.offset)}"
    )


def total(query: SearchQuery, physical: str, params: Params) -> str:
    """Count the hits."""
    return f"select count(*) as total from {place(physical)} where {found(query, params)[0]}"  # noqa: S608


def facet(query: SearchQuery, asked: FacetAsked, physical: str, params: Params) -> str:
    """Count the hits by values, or by spans in columns ``s0``, ``s1``, and so on."""
    condition, column = found(query, params)[0], _own(asked.field)
    field = next(field for field in query.shape.fields if field.name == asked.field)
    if asked.spans:
        counts = [f"count(*) filter (where {_condition(field, s, params)}) as s{n}" for n, s in enumerate(asked.spans)]
        return f"select {', '.join(counts)} from {place(physical)} where {condition}"  # noqa: S608
    return (
        f"select {column} as value, count(*) as hits from {place(physical)} "  # noqa: S608
        f"where {condition} and {column} is not null "
        f"group by 1 order by 2 desc, {column}{_collated(field)} limit {int(asked.limit)}"
    )


def suggested(shape: SearchShape, physical: str, *, near: bool) -> str:
    """Complete ``$1``, up to ``$2`` texts."""
    column, folded = _own(shape.suggest), _folded(shape.suggest)
    if near:
        return (
            f"select text from (select {column} as text, max(word_similarity($1::text, {folded})) as nearness "  # noqa: S608
            f"from {place(physical)} where body is not null and $1::text <% {folded} group by 1) as texts "
            'order by nearness desc, text collate "C" limit $2::bigint'
        )
    return (
        f'select distinct {column} collate "C" as text from {place(physical)} '  # noqa: S608
        f"where body is not null and {folded} like '% ' || $1::text || '%' order by 1 limit $2::bigint"
    )


def matching(shape: SearchShape) -> str:
    """Find which of the words ``$1`` one of the words ``$2`` finds, whatever their endings."""
    language = literal(shape.language)
    return (
        f"select distinct word from unnest($1::text[]) as word, unnest($2::text[]) as asked "  # noqa: S608
        f"where to_tsvector({language}, word) @@ plainto_tsquery({language}, asked)"
    )


def _spelled(parts: tuple[tuple[str, ...], ...]) -> str:
    """Quote each part, so that no word is taken for an operator; words are letters and digits only."""
    return " ".join(f'"{" ".join(part)}"' for part in parts)


def _condition(field: SearchField, wanted: object, params: Params) -> str:
    column, kind = _own(field.name), TYPES[field.kind]
    if wanted is None:
        return f"{column} is null"
    if isinstance(wanted, Span):
        bounds = [(">=", wanted.least), ("<", wanted.below)]
        tests = [f"{column} {sign} {params.add(value, kind)}" for sign, value in bounds if value is not None]
        return f"({' and '.join([f'{column} is not null', *tests])})"
    if isinstance(wanted, tuple):
        return f"{column} = any({params.add(list(wanted), kind + '[]')})"
    return f"{column} = {params.add(wanted, kind)}"


def _behind(after: tuple[object, str], kind: str, params: Params, *, down: bool) -> str:
    at, key = after
    behind = f'key > {params.add(key, "text")} collate "C"'
    if at is None:
        return f"place is null and {behind}"
    here = params.add(str(at), f"text::{kind}") + (' collate "C"' if kind == "text" else "")
    return f"(place {'<' if down else '>'} {here} or place = {here} and {behind} or place is null)"


def _collated(field: SearchField) -> str:
    """Order texts as every engine does: by their characters' numbers."""
    return ' collate "C"' if TYPES[field.kind] == "text" else ""


def _heaviest(shape: SearchShape) -> dict[float, str]:
    return dict(zip(sorted({field.weight for field in shape.texts}, reverse=True), _CLASSES, strict=False))


def _weights(shape: SearchShape) -> str:
    known = list(_heaviest(shape))
    numbers = [known[n] / known[0] if n < len(known) else 0.0 for n in range(len(_CLASSES))]
    return f"'{{{','.join(repr(number) for number in reversed(numbers))}}}'::float4[]"


def _own(name: str) -> str:
    return quote(f"f_{name}")


def _folded(name: str) -> str:
    return quote(f"t_{name}")


def travelling(value: object) -> object:
    """Spell times and dates, so that a place can travel."""
    return msgspec.to_builtins(value) if isinstance(value, datetime | date) else value
