"""Before anything is timed: every contestant must refuse and answer the same."""

import msgspec

from bench.handler.world import SMALL, Keys, body, quote, request
from bench.http import send


def cases(keys: Keys) -> dict[str, tuple[bytes, int]]:
    """List what is sent, and the status that must come back."""
    token = keys.tokens[0]
    line = {"sku": "SKU-1", "quantity": 1, "unit_price": 1}
    return {
        "a valid order": (request(token, body(SMALL)), 200),
        "no token": (request("", body(SMALL)), 401),
        "a forged token": (request(keys.forged, body(SMALL)), 401),
        "no token but a word": (request("x", body(SMALL)), 401),
        "an unknown currency": (request(token, body(SMALL, currency="DEM")), 422),
        "a quantity too large": (request(token, body(SMALL, lines=[line | {"quantity": 101}])), 422),
        "a text as a price": (request(token, body(SMALL, lines=[line | {"unit_price": "cheap"}])), 422),
        "no lines": (request(token, body(SMALL, lines=[])), 422),
        "no number in the path": (request(token, body(SMALL), "/baskets/seven/quote"), 422),
        "another path": (request(token, body(SMALL), "/elsewhere"), 404),
    }


async def check(name: str, port: int, keys: Keys) -> int:
    """Raise where a contestant answers otherwise; return how many cases agreed."""
    for case, (sent, expected) in cases(keys).items():
        found = await send(port, sent)
        if found.status != expected:
            raise RuntimeError(f"{name} answers {found.status} to {case}; {expected} was agreed: {found.body!r}")
        if expected == 200 and msgspec.json.decode(found.body) != quote("customer-00", SMALL):
            raise RuntimeError(f"{name} answers {found.body!r}")
    return len(cases(keys))
