"""What is in a cart. Pure."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from shoal import Problem
from shop.products.contract import Price

MOST = 50
"""Products in a cart, as many as an order may have lines."""

Sku = Annotated[str, msgspec.Meta(min_length=1, max_length=40, examples=["KIT-0110"])]


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """How many pieces of a product are wanted; none takes it out."""

    quantity: Annotated[int, msgspec.Meta(ge=0, le=99)] = 1


class Cart(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody means to buy: pieces by product, in the order in which they came."""

    pieces: dict[str, int] = {}


class CartLine(msgspec.Struct, frozen=True, kw_only=True):
    """One product in a cart, at today's price."""

    price: Price
    quantity: int


class CartView(msgspec.Struct, frozen=True, kw_only=True):
    """A cart as its owner sees it."""

    lines: tuple[CartLine, ...] = ()
    gone: tuple[str, ...] = ()
    """Products that are no longer on offer."""
    total: int = 0
    """In cents; an order is charged what holds when it is placed."""


def wishing(cart: Cart | None, sku: str, quantity: int) -> Cart:
    """Return a cart with so many pieces of a product."""
    pieces = {**(cart.pieces if cart else {}), sku: quantity}
    if not quantity:
        del pieces[sku]
    if len(pieces) > MOST:
        raise Problem(409, "cart-full", f"a cart holds {MOST} products")
    return Cart(pieces=pieces)


def priced(cart: Cart, offered: Sequence[Price]) -> CartView:
    """Show a cart at today's prices."""
    known = {price.sku: price for price in offered}
    lines = tuple(CartLine(price=known[sku], quantity=n) for sku, n in cart.pieces.items() if sku in known)
    gone = tuple(sku for sku in cart.pieces if sku not in known)
    return CartView(lines=lines, gone=gone, total=sum(line.price.amount * line.quantity for line in lines))
