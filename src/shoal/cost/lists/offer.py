"""What a price list says, and how a price is found in it. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from typing import IO

from shoal.cost.prices import MOST

LARGEST = 64 * 1024**2
"""Bytes of a page that is read as a whole."""

_MANY = 100_000
"""Lines of a service that speak of what is looked for, at most."""

_PLACES = Decimal("0.00000001")
"""To which a price is rounded, which no list exceeds but by division: a day's price has 24 hours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """One line of a price list."""

    fields: Mapping[str, str]
    """What it describes, in the words of the list."""
    amount: Decimal
    """US dollars of one unit."""
    unit: str
    """As the list spells it."""
    start: Decimal = Decimal(0)
    """Units from which on it counts; what is free comes before."""
    since: str = ""
    """The day from which on it counts, ``2026-11-23``; empty where the list does not say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class More:
    """Where a list goes on: the query of its next page."""

    query: str


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A price, or a family of prices, and which lines of the list tell it."""

    price: str
    """Its name in a table; ``{size}`` is what the group of that name in a pattern found."""
    unit: str
    """As a table writes it."""
    service: str
    """What a list is asked for."""
    fields: Mapping[str, str]
    """Field of an offer → pattern of its whole value (regular expression)."""
    units: Mapping[str, Decimal]
    """Unit of the list → of how many of ours one is the price, as a factor: an hour has 3,600 seconds."""

    @cached_property
    def _patterns(self) -> tuple[tuple[str, re.Pattern[str]], ...]:
        return tuple((name, re.compile(pattern)) for name, pattern in self.fields.items())

    def names(self, offer: Offer) -> str:
        """Return the name of the price that an offer tells; empty where it is another's."""
        groups: dict[str, str] = {}
        for name, pattern in self._patterns:
            found = pattern.fullmatch(offer.fields.get(name, ""))
            if found is None:
                return ""
            groups |= found.groupdict()
        return self.price.format(**groups)


@dataclass(frozen=True, kw_only=True, slots=True)
class PriceList:
    """The price list of one cloud."""

    name: str
    """Of the cloud: ``azure``."""
    title: str
    """As people write it, with the service that is asked."""
    address: str
    """Where it is asked, unless somebody says otherwise."""
    wanted: tuple[Wanted, ...]
    question: Callable[[str, str], str]
    """From a service and a region to the path and query that are asked."""
    read: Callable[[IO[bytes], str], Iterator[Offer | More]]
    """Reads an answer about a region; raises `ValueError` for what is none."""
    key: str = ""
    """Variable of the environment that holds the key without which nothing is answered; empty where none is asked."""
    header: str = ""
    """Of the request in which the key goes."""

    @property
    def services(self) -> tuple[str, ...]:
        """What is asked for, each once."""
        return tuple(dict.fromkeys(one.service for one in self.wanted))


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What a list told."""

    amounts: Mapping[str, tuple[Decimal, str]]
    """Price → dollars and unit."""
    doubts: Mapping[str, str]
    """Price → why nothing is taken for it, though the list speaks of it."""


def find(wanted: Iterable[Wanted], offers: Iterable[Offer], *, today: str) -> Found:
    """Find prices.

    Of several lines for one price those count whose unit is known and that have begun. Of those that count from the
    same use on, the newest holds; the first of these that is not for nothing is the price. Where two lines are left
    that do not agree, neither is taken.

    Args:
        wanted: What is looked for, of one service.
        offers: Lines of the list of that service; they are read once.
        today: The day, ``2026-11-23``.

    Raises:
        ValueError: There are more lines than a list has.
    """
    every, told, count = tuple(wanted), dict[str, list[tuple[Wanted, Offer]]](), 0
    for offer in offers:
        for one in every:
            if name := one.names(offer):
                told.setdefault(name, []).append((one, offer))
                count += 1
        if count > _MANY:
            raise ValueError(f"it has more than {_MANY:,} lines for what is looked for")
    amounts, doubts = dict[str, tuple[Decimal, str]](), dict[str, str]()
    for name, lines in told.items():
        try:
            amounts[name] = _settled(lines, today)
        except ValueError as error:
            doubts[name] = str(error)
    return Found(amounts=amounts, doubts=doubts)


def _settled(lines: list[tuple[Wanted, Offer]], today: str) -> tuple[Decimal, str]:
    """Settle on one line; raises `ValueError` that says why there is none."""
    known = [(one, offer) for one, offer in lines if offer.unit in one.units]
    if not known:
        raise ValueError(f"the list has it by {lines[0][1].unit!r}, which is not known")
    begun = [(one, offer) for one, offer in known if offer.since <= today]
    if strange := [offer for _, offer in begun if not (offer.amount.is_finite() and offer.start.is_finite())]:
        raise ValueError(f"the list has what is no price: {strange[0].amount} from {strange[0].start} on")
    for start in sorted({offer.start for _, offer in begun}):
        here = [(one, offer) for one, offer in begun if offer.start == start]
        newest = max(offer.since for _, offer in here)
        amounts = {_amount(one, offer): one.unit for one, offer in here if offer.since == newest and offer.amount > 0}
        if len(amounts) > 1:
            raise ValueError(f"the list has several: {', '.join(map(str, sorted(amounts)))}")
        if amounts:
            return amounts.popitem()
    raise ValueError("the list has it for nothing, or not yet")


def _amount(one: Wanted, offer: Offer) -> Decimal:
    """Count what one of our units costs; raises `ValueError` where a table could not say it."""
    amount = offer.amount * one.units[offer.unit]
    if amount > MOST or not (whole := amount.quantize(_PLACES, rounding=ROUND_HALF_UP).normalize()):
        raise ValueError(f"the list has what is no price: {amount}")
    return whole.quantize(Decimal("0.01")) if whole.as_tuple().exponent > -2 else whole  # type: ignore[operator]


def whole(answer: IO[bytes]) -> bytes:
    """Read a page; raises `ValueError` for one that is larger than any."""
    page = answer.read(LARGEST + 1)
    if len(page) > LARGEST:
        raise ValueError(f"a page of it has more than {LARGEST >> 20} MiB")
    return page
