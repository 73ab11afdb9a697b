"""Asks a price list: one service after the other, page after page. No bill needs it."""

import http.client
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit
from urllib.request import Request

import msgspec

from shoal.cost.lists.answer import answer_of
from shoal.cost.lists.offer import More, Offer, PriceList, find
from shoal.errors import HostError

_MANY = 100_000
"""Prices after which it is said how far a list is read."""

_PAGES = 2_000
"""Pages of a service that are read at most."""

_HERE = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What a whole list told."""

    amounts: Mapping[str, tuple[Decimal, str]]
    """Price → dollars and unit."""
    doubts: Mapping[str, str]
    """Price → why nothing is taken for it."""
    silent: Mapping[str, str]
    """Service → why nothing was told of it."""


def ask(prices: PriceList, region: str, *, address: str, key: str, today: str, progress: Callable[[str], None]) -> Told:
    """Ask a list for everything that it may know of a region.

    Args:
        prices: The list.
        region: As the cloud spells it.
        address: Where it is asked: ``https://prices.azure.com``.
        key: What is sent with each question; empty where none is asked for.
        today: The day, ``2026-11-23``.
        progress: Is told what is asked.

    Raises:
        HostError: The list cannot be reached, refuses the key, or has no price of the region.
    """
    _require_safe(address)
    _require_kept(prices, address, key)
    amounts, doubts, silent = dict[str, tuple[Decimal, str]](), dict[str, str](), dict[str, str]()
    headers = {prices.header: key} if key else {}
    for number, service in enumerate(prices.services, start=1):
        progress(f"asking {address} for {service} ({number} of {len(prices.services)})")
        wanted = [one for one in prices.wanted if one.service == service]
        try:
            offers = _told(_offers(prices, service, region, address, headers), progress)
            found = find(wanted, offers, today=today)
        except (ValueError, msgspec.DecodeError) as error:
            silent[service] = str(error)
        except (OSError, http.client.HTTPException) as error:
            raise _away(prices, address, error) from error
        else:
            amounts |= found.amounts
            doubts |= found.doubts
    if not amounts:
        why = next((f" ({name}: {said})" for name, said in {**doubts, **silent}.items()), "")
        raise HostError(
            f"{prices.title} at {address} has no price of {region} that is looked for{why}",
            hint="look whether the region is spelled as the cloud spells it; nothing was written",
        )
    return Told(amounts=amounts, doubts=doubts, silent=silent)


def _require_safe(address: str) -> None:
    """Refuse what is no address, or would be written into tables with a password in it."""
    try:
        parts = urlsplit(address)
        told = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        told = False
    if told and "@" in parts.netloc:
        hint = "price lists know nobody by a password; name a mirror that asks for none"
        raise HostError("the address of a price list names who asks", hint=hint)
    plain = address.isascii() and address.isprintable() and not {*address} & {*" ?#"}
    if not told or not plain:
        raise HostError(f"{address!r} is no address of a price list", hint="write one such as https://prices.azure.com")


def _require_kept(prices: PriceList, address: str, key: str) -> None:
    """Refuse to send a key that anybody could read on its way, or that is none: it is never shown."""
    parts = urlsplit(address)
    if key and parts.scheme == "http" and parts.hostname not in _HERE:
        raise HostError(f"the key would be sent to {address} unencrypted", hint="name an address with https://")
    if not key.isascii() or not key.isprintable():
        raise HostError(f"what {prices.key} holds is no key", hint="look for the end of a line in it, or for quotes")


def _told(offers: Iterator[Offer], progress: Callable[[str], None]) -> Iterator[Offer]:
    """Tell now and then how far a long answer is read."""
    for number, offer in enumerate(offers, start=1):
        if not number % _MANY:
            progress(f"read {number:,} prices")
        yield offer


def _offers(prices: PriceList, service: str, region: str, address: str, headers: Mapping[str, str]) -> Iterator[Offer]:
    """Read every page about a service. Only the query of a next page is followed, never to another host."""
    path, seen = prices.question(service, region), set[str]()
    while path:
        if path in seen:
            raise ValueError("its pages lead back to one another")
        if len(seen) == _PAGES:
            raise ValueError(f"it has more than {_PAGES:,} pages")
        seen.add(path)
        query = ""
        with answer_of(Request(f"{address.rstrip('/')}/{path}", headers=dict(headers))) as answer:  # noqa: S310 - checked
            for part in prices.read(answer, region):
                if isinstance(part, More):
                    query = part.query
                else:
                    yield part
        path = f"{path.partition('?')[0]}?{query}" if query else ""


def _away(prices: PriceList, address: str, error: Exception) -> HostError:
    reason = getattr(error, "reason", None) or str(error) or type(error).__name__
    return HostError(
        f"cannot ask {prices.title} at {address}: {reason}",
        hint="look whether this machine reaches it (HTTPS_PROXY names a proxy); nothing was written, and bills go on"
        " with the prices that are here",
    )
