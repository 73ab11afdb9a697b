"""What all contestants are asked: keys, tokens, one body, and the answers that must come back."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from shoal import tokens

ISSUER, AUDIENCE = "https://issuer.invalid", "bench"
PATH = "/baskets/7/quote"
CLIENTS = 16
SMALL, LARGE = 3, 10
"""Lines of the order that is sent; as text, the small one is JSON of ten lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Where the public keys lie, and one token for each client."""

    jwks: Path
    tokens: tuple[str, ...]
    forged: str


def make_keys(folder: Path, now: float) -> Keys:
    """Make keys, and tokens that outlive the benchmark."""
    private, public = tokens.generate()
    jwks = folder / "jwks.json"
    jwks.write_bytes(public)
    return Keys(
        jwks=jwks,
        tokens=tuple(_token(private, f"customer-{number:02}", now) for number in range(CLIENTS)),
        forged=_token(tokens.generate()[0], "mallory", now),
    )


def _token(key: bytes, subject: str, now: float) -> str:
    signer = tokens.Signer(key, issuer=ISSUER, audience=AUDIENCE)
    return signer.sign(subject, now, 86_400.0, {"roles": ["customer"]})


def order(size: int) -> dict[str, Any]:
    """Make the body that is sent."""
    lines = [{"sku": f"SKU-{n:05}", "quantity": n + 1, "unit_price": 199 + n} for n in range(size)]
    return {"currency": "EUR", "lines": lines, "note": "leave it at the door"}


def quote(customer: str, size: int) -> dict[str, Any]:
    """Make the answer that must come back."""
    lines = [{"sku": line["sku"], "quantity": line["quantity"], "total": line["quantity"] * line["unit_price"]}
             for line in order(size)["lines"]]  # fmt: skip
    total = sum(line["total"] for line in lines)
    return {"basket": 7, "customer": customer, "currency": "EUR", "lines": lines, "total": total}


def request(token: str, body: bytes, path: str = PATH) -> bytes:
    """Spell a request as it travels, with the headers that a client's library would send."""
    headers: Mapping[str, str] = {
        "Host": "127.0.0.1",
        "User-Agent": "bench",
        "Accept": "application/json",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    } | ({"Authorization": f"Bearer {token}"} if token else {})
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def body(size: int, **changes: Any) -> bytes:
    """Encode the body, with some fields changed."""
    return msgspec.json.encode(order(size) | changes)
