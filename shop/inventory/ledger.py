"""The stock ledger: what happened to each shelf. What lies on it now is the sum of that."""

import msgspec
from msgspec.structs import replace

from shoal import aggregate, fact


@fact("brought-forward")
class BroughtForward(msgspec.Struct, frozen=True, kw_only=True):
    """What lay there when the ledger was begun, in a shop that kept only balances before."""

    available: int
    reserved: int
    sold: int


@fact("received")
class Received(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces came in; none at all for a shelf that was just put up."""

    quantity: int


@fact("corrected")
class Corrected(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody counted what is available."""

    available: int


@fact("reserved")
class Reserved(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces were laid ready for an order that is paid for."""

    order_id: str
    quantity: int


@fact("sold")
class Sold(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces that lay ready were handed over."""

    order_id: str
    quantity: int


@fact("released")
class Released(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces that lay ready went back on the shelf."""

    order_id: str
    quantity: int


@fact("returned")
class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces that were sold came back."""

    order_id: str
    quantity: int


Move = BroughtForward | Received | Corrected | Reserved | Sold | Released | Returned


@aggregate("shelf", key="sku")
class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """The pieces of one product. Always, received = available + reserved + sold."""

    sku: str
    received: int = 0
    """All that ever came in."""
    available: int = 0
    reserved: int = 0
    """Laid ready for orders that are paid for."""
    sold: int = 0

    def apply(self, fact: Move) -> "Shelf":
        """Return the shelf after a move."""
        match fact:
            case BroughtForward(available=available, reserved=reserved, sold=sold):
                after = replace(self, available=available, reserved=reserved, sold=sold)
            case Corrected(available=available):
                after = replace(self, available=available)
            case Received(quantity=quantity):
                after = replace(self, available=self.available + quantity)
            case Reserved(quantity=quantity):
                after = replace(self, available=self.available - quantity, reserved=self.reserved + quantity)
            case Sold(quantity=quantity):
                after = replace(self, reserved=self.reserved - quantity, sold=self.sold + quantity)
            case Released(quantity=quantity):
                after = replace(self, reserved=self.reserved - quantity, available=self.available + quantity)
            case Returned(quantity=quantity):
                after = replace(self, sold=self.sold - quantity, available=self.available + quantity)
        return replace(after, received=after.available + after.reserved + after.sold)
