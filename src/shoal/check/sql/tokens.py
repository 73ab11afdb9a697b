"""SQL cut into words, as PostgreSQL cuts it (its manual, 4.1), and into statements; no grammar."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*|/\*.*?\*/)
  | (?P<string>[eE]'(?:\\.|''|[^'\\])*' | (?:[bBxXnN]|[uU]&)?'(?:''|[^'])*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
  | (?P<quoted>"(?:""|[^"])*")
  | (?P<word>[^\W\d][\w$]*)
  | (?P<number>\d[\w.]*)
  | (?P<mark>::|.)
    """,
    re.DOTALL | re.VERBOSE,
)


class Token(NamedTuple):
    """One word, text, number or mark."""

    text: str
    """Words without quotes are in small letters, those with quotes as they stand there; a text begins with ``'``."""
    line: int
    column: int


Tokens = Sequence[Token]


def tokens(text: str) -> Iterator[Token]:
    """Cut a text into tokens; comments are none, and what is never closed is a mark."""
    line, begin = 1, 0
    for found in _TOKEN.finditer(text):
        said = found[0]
        if found["space"] is None:
            yield Token(_spelled(found), line, found.start() - begin + 1)
        if "\n" in said:
            line, begin = line + said.count("\n"), found.start() + said.rindex("\n") + 1


def _spelled(found: re.Match[str]) -> str:
    if found["word"] is not None:
        return found[0].lower()
    if found["quoted"] is not None:
        return found[0][1:-1].replace('""', '"')
    return f"'{found[0]}'" if found["string"] is not None else found[0]


def statements(text: str) -> Iterator[Tokens]:
    """Cut a text into statements, without the semicolons between them."""
    said: list[Token] = []
    for token in tokens(text):
        if token.text != ";":
            said.append(token)
        elif said:
            yield said
            said = []
    if said:
        yield said


def begins(said: Tokens, *words: str) -> bool:
    """Tell whether these are the first words."""
    return tuple(token.text for token in said[: len(words)]) == words


def has(said: Tokens, *words: str) -> bool:
    """Tell whether these words stand somewhere, one behind the other."""
    texts = [token.text for token in said]
    return any(texts[n : n + len(words)] == list(words) for n in range(len(texts)))


def without(said: Tokens, *words: str) -> Tokens:
    """Leave out these words at the beginning, where they stand there."""
    return said[len(words) :] if begins(said, *words) else said


def named(said: Tokens) -> tuple[str, Tokens]:
    """Read a name of up to two parts, and return it with what follows; the schema ``public`` is not named."""
    if len(said) > 2 and said[1].text == ".":
        schema, name = said[0].text, said[2].text
        return (name if schema == "public" else f"{schema}.{name}"), said[3:]
    return (said[0].text, said[1:]) if said else ("", said)


def parts(said: Tokens) -> list[Tokens]:
    """Cut at the commas that stand in no parentheses."""
    found: list[list[Token]] = [[]]
    depth = 0
    for token in said:
        depth += (token.text == "(") - (token.text == ")")
        if token.text == "," and not depth:
            found.append([])
        else:
            found[-1].append(token)
    return [part for part in found if part]


def inside(said: Tokens) -> Tokens:
    """Return what stands in the first parentheses; nothing where there are none."""
    depth, found = 0, []
    for token in said:
        depth -= token.text == ")"
        if depth > 0:
            found.append(token)
        elif found or token.text == ")":
            break
        depth += token.text == "("
    return found
