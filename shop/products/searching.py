"""Finding products by words: a read model that follows from the catalogue's events. Pure.

Each word of a product is a row of its own, which any store finds by equality. A word of the name weighs more than one
of the description. There is no stemming: "mugs" does not find "mug".
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from shoal import record
from shop.products.contract import ProductChanged, ProductListed

MOST = 2000
"""Products that are looked at for one word; more would take too long to rank."""

NAME, DESCRIPTION = 4, 1
"""Weights of a word by where it stands."""


@record("search_words", key="word_id", indexes=["word", "sku"])
class SearchWord(msgspec.Struct, frozen=True, kw_only=True):
    """One word of one product."""

    word_id: str
    sku: str
    word: str
    weight: int
    name: str
    category: str
    amount: int
    """In cents."""


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What else a product must be."""

    category: str | None = None
    at_most: int | None = None
    """In cents."""


def words(text: str) -> list[str]:
    """Split a text into words of at least two characters, without case and accents."""
    while (plain := _plain(text)) != text:  # until the words are found as they are kept
        text = plain
    return [word for word in text.split() if len(word) > 1]


def indexed(product: ProductListed | ProductChanged) -> tuple[SearchWord, ...]:
    """List the words of a product."""
    weights: Counter[str] = Counter()
    for weight, text in ((NAME, product.name), (DESCRIPTION, product.description)):
        for word in words(text):
            weights[word] += weight
    return tuple(
        SearchWord(
            word_id=f"{product.sku} {word}",
            sku=product.sku,
            word=word,
            weight=weight,
            name=product.name,
            category=product.category,
            amount=product.amount,
        )
        for word, weight in sorted(weights.items())
    )


def ranked(found: Sequence[Iterable[SearchWord]], filters: Filters) -> list[str]:
    """Return the SKUs of the products that have every word, the best first.

    Args:
        found: For each word that was asked for, the rows that have it.
        filters: What else a product must be.
    """
    by_word = [{row.sku: row for row in rows if _fits(row, filters)} for rows in found]
    if not by_word:
        return []
    common = set.intersection(*(set(rows) for rows in by_word))
    name = {sku: by_word[0][sku].name for sku in common}
    weight = {sku: sum(rows[sku].weight for rows in by_word) for sku in common}
    return sorted(common, key=lambda sku: (-weight[sku], name[sku], sku))


def _plain(text: str) -> str:
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    bare = (c for c in letters if not unicodedata.combining(c))
    return "".join(c if c.isalnum() else " " for c in bare)


def _fits(row: SearchWord, filters: Filters) -> bool:
    if filters.category is not None and row.category != filters.category:
        return False
    return filters.at_most is None or row.amount <= filters.at_most
