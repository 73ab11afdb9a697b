"""Accounts: an aggregate for tests."""

import msgspec

from shoal import aggregate, fact, upcast


@fact("opened")
class Opened(msgspec.Struct, frozen=True, kw_only=True):
    owner: str


@fact("paid-in", version=2)
class PaidIn(msgspec.Struct, frozen=True, kw_only=True):
    cents: int


@fact("paid-in")
class PaidInV1(msgspec.Struct, frozen=True, kw_only=True):
    amount: float


@fact("paid-out")
class PaidOut(msgspec.Struct, frozen=True, kw_only=True):
    cents: int


@upcast
def to_cents(old: PaidInV1) -> PaidIn:
    return PaidIn(cents=round(old.amount * 100))


Change = Opened | PaidIn | PaidOut


@aggregate("account", key="number", snapshot_every=3, upcasters=[to_cents])
class Account(msgspec.Struct, frozen=True, kw_only=True):
    number: str
    owner: str = ""
    balance: int = 0

    def apply(self, fact: Change) -> "Account":
        match fact:
            case Opened(owner=owner):
                return msgspec.structs.replace(self, owner=owner)
            case PaidIn(cents=cents):
                return msgspec.structs.replace(self, balance=self.balance + cents)
            case PaidOut(cents=cents):
                return msgspec.structs.replace(self, balance=self.balance - cents)
