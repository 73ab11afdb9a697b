"""Mistakes with documents; each line that says so must be flagged."""

from shoal import Documents, MongoDB, Postgres, ReadReplica, record
from tests.typed.documents import Offer

store = MongoDB(migrations="sql")  # expect-error
marked = record("offers", key="sku", indexes=[1])  # expect-error


pooled = Postgres(pooler="session")  # expect-error


async def replicated(replica: ReadReplica, offer: Offer) -> None:
    """Mistake a replica for the store."""
    replica.put(offer)  # expect-error
    await replica.get(Offer, "a", lock=True)  # expect-error


async def mistaken(offers: Documents[Offer]) -> None:
    """Mistake what is found and what is asked."""
    offer: Offer = await offers.require("a")  # expect-error
    offers.put("a")  # expect-error
    offers.put(offer, expect=1)  # expect-error
    offers.insert(offer, expect="")  # expect-error
    await offers.find({"kind": "tool"}, order=["cents"])  # expect-error
    await offers.find(kind="tool")  # expect-error
    await offers.put(offer)  # expect-error
    kind: str = (await offers.get("a")).value.kind  # expect-error
    offers.delete("a", version="1")  # expect-error
    assert kind
