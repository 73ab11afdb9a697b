"""What the products service keeps."""

import msgspec

from shoal import record


@record("products", key="sku", indexes=[("category", "name"), "name"])
class Product(msgspec.Struct, frozen=True, kw_only=True):
    """One article of the catalogue."""

    sku: str
    name: str
    description: str
    category: str
    amount: int
    """Price of one piece, in cents of the currency."""
    currency: str
    version: int = 1
    """Counts its changes, each of which is announced."""
