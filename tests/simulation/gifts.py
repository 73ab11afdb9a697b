"""Gifts: a saga over the three services, of which some are refused late, so that everything before is undone."""

import msgspec

from shoal import Problem, Saga, StepRefused, Transaction, anyone, record, retriable, step
from tests.simulation.contracts import Bill, Parcel, PaymentsApi, StockApi
from tests.simulation.outside import Provider
from tests.simulation.shop import PRICE, Item, orders, payments, stock


class Gift(msgspec.Struct, frozen=True, kw_only=True):
    token: str
    sku: str
    pieces: int
    unwanted: bool = False

    @property
    def parcel(self) -> Parcel:
        return Parcel(gift=self.token, sku=self.sku, pieces=self.pieces)

    @property
    def bill(self) -> Bill:
        return Bill(gift=self.token, amount=self.pieces * PRICE)


@record("gifts", key="token")
class Given(msgspec.Struct, frozen=True, kw_only=True):
    token: str
    state: str = "asked"


@record("parcels", key="gift")
class Aside(msgspec.Struct, frozen=True, kw_only=True):
    gift: str
    pieces: int
    state: str = "aside"


@record("bills", key="gift")
class Billed(msgspec.Struct, frozen=True, kw_only=True):
    gift: str
    amount: int
    state: str = "paid"


@orders.saga("gift")
class GiftSaga(Saga[Gift]):
    async def put_back(self, state: Gift, stock: StockApi) -> None:
        await stock.put_back(state.parcel)

    @step(compensate=put_back, backoff=0.1)
    async def set_aside(self, state: Gift, stock: StockApi) -> None:
        await stock.set_aside(state.parcel)

    async def repay(self, state: Gift, payments: PaymentsApi) -> None:
        await payments.repay(state.bill)

    @step(compensate=repay, backoff=0.1)
    async def collect(self, state: Gift, payments: PaymentsApi) -> None:
        await payments.collect(state.bill)

    async def forget(self, state: Gift, tx: Transaction) -> None:
        tx.put(Given(token=state.token, state="refused"))

    @step(compensate=forget, backoff=0.1)
    async def offer(self, state: Gift, tx: Transaction) -> None:
        if state.unwanted:
            tx.put(Given(token=state.token, state="never seen"))
            raise StepRefused(f"nobody wants {state.token}")
        tx.put(Given(token=state.token, state="offered"))

    @retriable(backoff=0.1)
    async def deliver(self, state: Gift, tx: Transaction) -> None:
        given = await tx.require(Given, state.token, lock=True)
        tx.put(msgspec.structs.replace(given, state=f"{given.state}, delivered"))


@orders.post("/gifts", status=201, access=anyone, idempotent=True)
async def give(body: Gift, tx: Transaction) -> Gift:
    tx.insert(Given(token=body.token))
    await tx.start(GiftSaga, body, key=body.token)
    return body


@stock.implements(StockApi.set_aside)
async def set_aside(parcel: Parcel, tx: Transaction) -> Parcel:
    if await tx.get(Aside, parcel.gift, lock=True) is not None:
        raise Problem(409, "too-late", "this parcel was put back before it was set aside")
    item = await tx.require(Item, parcel.sku, lock=True)
    if item.available < parcel.pieces:
        raise Problem(409, "sold-out", f"there are {item.available}")
    tx.put(msgspec.structs.replace(item, available=item.available - parcel.pieces, sold=item.sold + parcel.pieces))
    tx.insert(Aside(gift=parcel.gift, pieces=parcel.pieces))
    return parcel


@stock.implements(StockApi.put_back)
async def put_back(parcel: Parcel, tx: Transaction) -> Parcel:
    aside = await tx.get(Aside, parcel.gift, lock=True)
    if aside is None:
        tx.insert(Aside(gift=parcel.gift, pieces=0, state="back"))
    elif aside.state == "aside":
        item = await tx.require(Item, parcel.sku, lock=True)
        available, sold = item.available + parcel.pieces, item.sold - parcel.pieces
        tx.put(msgspec.structs.replace(item, available=available, sold=sold))
        tx.put(Aside(gift=parcel.gift, pieces=0, state="back"))
    return parcel


@payments.implements(PaymentsApi.collect)
async def collect(bill: Bill, tx: Transaction, provider: Provider) -> Bill:
    if await tx.get(Billed, bill.gift, lock=True) is not None:
        raise Problem(409, "too-late", "this bill was repaid before it was paid")
    await provider.charge(bill.gift, bill.amount)
    tx.insert(Billed(gift=bill.gift, amount=bill.amount))
    return bill


@payments.implements(PaymentsApi.repay)
async def repay(bill: Bill, tx: Transaction, provider: Provider) -> Bill:
    await provider.refund(bill.gift, bill.amount)
    tx.put(Billed(gift=bill.gift, amount=0, state="repaid"))
    return bill
