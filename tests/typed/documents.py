"""Documents as authors write them; none of it is flagged."""

from collections.abc import Mapping
from typing import Any, assert_type

import msgspec

from shoal import Document, Documents, DynamoDB, Found, MongoDB, Service, Transaction, anyone, record


@record("offers", key="sku", unique=["barcode"], indexes=["kind", ("kind", "cents")])
class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """Something on offer."""

    sku: str
    kind: str = ""
    cents: int = 0
    barcode: str | None = None


market = Service("market", store=MongoDB(why="each kind has attributes of its own"))
orders = Service("orders", store=DynamoDB())


@market.put("/offers/{sku}", access=anyone)
async def change(sku: str, offer: Offer, offers: Documents[Offer], tx: Transaction) -> Found[Offer]:
    """Use everything that documents can."""
    found = await offers.get(sku)
    assert_type(found, Document[Offer] | None)
    sure = await offers.require(sku)
    assert_type(sure.value, Offer)
    assert_type(sure.version, str)
    assert_type(await offers.get_many(["a", "b"]), Mapping[Any, Document[Offer]])
    offers.put(offer, expect=sure.version)
    offers.put_many([offer, sure.value])
    offers.insert(offer)
    offers.delete(sku)
    offers.delete(sku, expect=sure.version)
    assert_type(await tx.get(Offer, sku), Offer | None)
    page = await offers.find({"kind": "tool"}, order="-cents", limit=3, after="")
    assert_type(page, Found[Offer])
    for one in page.items:
        assert_type(one, Offer)
    return page
