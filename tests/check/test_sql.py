"""SQL is cut as PostgreSQL cuts it, whatever stands in texts and comments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.check.sql.tables import created
from shoal.check.sql.tokens import inside, parts, statements, tokens

PIECES = st.sampled_from(
    ["'", '"', "$$", "$a$", "--", "/*", "*/", ";", "(", ")", ",", "\n", " ", "é", "\\", "E'", "create", "table"]
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('Select "Ab""c" FROM t', ["select", 'Ab"c', "from", "t"]),
        ("E'it\\'s; one' 'it''s; two'", ["'E'it\\'s; one''", "''it''s; two''"]),
        ("$f$ a; $$ b $f$ x::int -- c;\n/* d;\n*/ 1.5", ["'$f$ a; $$ b $f$'", "x", "::", "int", "1.5"]),
    ],
)
def test_words_texts_and_comments(text: str, words: list[str]) -> None:
    assert [token.text for token in tokens(text)] == words


@given(st.lists(PIECES).map("".join))
def test_any_text_is_cut_and_every_token_stands_where_it_says(text: str) -> None:
    lines = text.split("\n")
    for token in tokens(text):
        assert lines[token.line - 1][token.column - 1].lower() in f'"{token.text.lower()}'
    for said in statements(text):
        assert ";" not in [token.text for token in said]
        created(said)
        parts(inside(said))


def test_a_table_is_read_with_its_keys() -> None:
    text = """create unlogged table if not exists public.lines (
        order_id text, line integer not null, code varchar(9) unique, price numeric(9, 2) default round(1.5, 1),
        constraint lines_key primary key (order_id, line), unique (lower(code), line)
    )"""
    (said,) = statements(text)
    table = created(said)
    assert table is not None
    assert (table.name, table.columns) == (
        "lines",
        {"order_id": "text", "line": "integer", "code": "varchar(9)", "price": "numeric(9,2)"},
    )
    assert table.indexes == [("code",), ("order_id", "line"), ()]
