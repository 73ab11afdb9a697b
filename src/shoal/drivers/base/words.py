"""What a text for searching means to every engine: its words, and how near two of them are. Pure."""

import re
import unicodedata
from collections.abc import Collection, Sequence

import msgspec

ALIKE = 0.6
"""How near a word must be to one that was asked for, so that it counts as a slip of the pen; 1 is the same word."""

OPEN, CLOSE = "\x02", "\x03"
"""Around what was found in a highlight; no text that is indexed holds them."""

_LETTERS = re.compile(r"[^\W_]+")
_PART = re.compile(r'(-?)"([^"]*)"?|(-?)([^\s"]+)')


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for; all of it, in plain words."""

    wanted: tuple[tuple[str, ...], ...] = ()
    """Each one word, or the words of a phrase in order."""
    unwanted: tuple[tuple[str, ...], ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """The single words that are wanted."""
        return tuple(dict.fromkeys(word for part in self.wanted for word in part))


def terms(text: str) -> Terms:
    """Read what somebody typed: words, ``"phrases"`` and ``-without``; there are no other operators, and no errors."""
    wanted: list[tuple[str, ...]] = []
    unwanted: list[tuple[str, ...]] = []
    for match in _PART.finditer(text):
        minus, quoted = match[1] or match[3], match[2] is not None
        found = words(match[2] if quoted else match[4])
        if minus and found:
            unwanted.append(found)
        elif quoted and found:
            wanted.append(found)
        else:
            wanted += [(word,) for word in found]
    return Terms(wanted=tuple(dict.fromkeys(wanted)), unwanted=tuple(dict.fromkeys(unwanted)))


def words(text: str) -> tuple[str, ...]:
    """Split a text into words, without case and accents."""
    return tuple(fold(text).split())


def fold(text: str) -> str:
    """Reduce a text to lower-case letters and digits with single spaces."""
    while (plain := _plain(text)) != text:  # some letters fold to what folds again
        text = plain
    return " ".join(text.split())


def nearness(asked: str, word: str) -> float:
    """Say how much of a word that was asked for is in another: shared groups of three letters, as pg_trgm counts."""
    wanted = trigrams(asked)
    return len(wanted & trigrams(word)) / len(wanted)


def trigrams(word: str) -> frozenset[str]:
    """List the groups of three letters of a word, two spaces before it and one behind it included."""
    padded = f"  {word} "
    return frozenset(padded[start : start + 3] for start in range(len(padded) - 2))


def holds(text: Sequence[str], phrase: Sequence[str]) -> bool:
    """Tell whether words follow each other in a text."""
    size = len(phrase)
    return any(tuple(text[start : start + size]) == tuple(phrase) for start in range(len(text) - size + 1))


def marked(text: str, found: Collection[str]) -> str:
    """Put `OPEN` and `CLOSE` around the words of a text that fold to one of those that were found."""
    return _LETTERS.sub(lambda match: _around(match[0], found), text)


def _around(word: str, found: Collection[str]) -> str:
    return f"{OPEN}{word}{CLOSE}" if any(part in found for part in words(word)) else word


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    bare = (c for c in letters if not unicodedata.combining(c))
    return "".join(c if c.isalnum() else " " for c in bare)
