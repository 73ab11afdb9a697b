"""A service as authors write it: every part of the vocabulary, none of it flagged by a strict type checker."""

from collections.abc import AsyncIterator, Sequence
from typing import Annotated, assert_type

from shoal import (
    CallRejected,
    Clock,
    Conflict,
    Deadline,
    External,
    Header,
    Issuer,
    Page,
    PageRequest,
    Postgres,
    Principal,
    Problem,
    ReadReplica,
    Reply,
    Saga,
    Sandbox,
    Secret,
    Service,
    Settings,
    StandIn,
    StepRefused,
    System,
    TokenIssuer,
    Trace,
    Transaction,
    anyone,
    fallbacks,
    pivot,
    retriable,
    role,
    scope,
    step,
)
from tests.typed.contract import Quote, QuoteMade, QuoteMadeV2, QuotesApi, QuoteTaken, StoredQuote, add_currency


class QuotesSettings(Settings, frozen=True, kw_only=True):
    """What may be said from outside."""

    url: str
    password: Secret
    retries: int = 3


class Till:
    """Something that is provided."""

    def __init__(self, url: str) -> None:
        self.url = url


quotes = Service(
    "quotes",
    store=Postgres(sql=True),
    publishes=[QuoteMade, QuoteMadeV2, QuoteTaken],
    contracts=[QuotesApi],
    settings=QuotesSettings,
    externals=["bank"],
    summary="Offers.",
)
shop = Service("shop", store=Postgres(pooler="transaction"))
system = System(
    "typed",
    services=[quotes, shop],
    issuer=Issuer(shop, audience="typed"),
    externals=[External(name="bank", setting="url", sandbox=Sandbox(module="bank"))],
)


@quotes.provide
async def till(settings: QuotesSettings) -> AsyncIterator[Till]:
    """Open and close it."""
    yield Till(settings.url + settings.password.reveal())


@quotes.seed("first")
async def first(tx: Transaction) -> None:
    """Fill the store."""
    tx.insert(StoredQuote(sku="a", amount=1))


@quotes.implements(QuotesApi.quote)
async def quote(
    sku: str, tx: Transaction, till: Till, language: Annotated[str, Header("Accept-Language")] = "en"
) -> Quote:
    """Read one record, which may be missing."""
    found = await tx.get(StoredQuote, sku, lock=True)
    assert_type(found, StoredQuote | None)
    if found is None:
        raise Problem(404, "no-quote", f"{sku} {till.url} {language}", extra={"sku": sku})
    return Quote(sku=found.sku, amount=found.amount)


@quotes.implements(QuotesApi.make)
async def make(quote: Quote, tx: Transaction) -> Quote:
    """Write and announce."""
    tx.put(StoredQuote(sku=quote.sku, amount=quote.amount))
    tx.publish(QuoteMade(sku=quote.sku, amount=quote.amount))
    try:
        await tx.flush()
    except Conflict as error:
        raise Problem(409, "taken") from error
    return quote


@quotes.implements(QuotesApi.drop)
async def drop(sku: str, tx: Transaction) -> None:
    """Remove."""
    tx.delete(StoredQuote, sku)
    await tx.execute("delete from quotes where sku = $1", sku)


@quotes.get("/all", access=anyone)
async def every(page: PageRequest, tx: Transaction) -> Page[Quote]:
    """Page through records."""
    found = await tx.find(StoredQuote, {"amount": (1, 2)}, order=["-amount"], limit=page.limit, offset=page.offset)
    assert_type(found, list[StoredQuote])
    more = await tx.fetch(StoredQuote, "select * from quotes")
    assert_type(more, list[StoredQuote])
    answer = page.of([Quote(sku=q.sku, amount=q.amount) for q in found], await tx.count(StoredQuote))
    assert_type(answer, Page[Quote])
    return answer


@quotes.get("/some", access=anyone)
async def some(sku: str, replica: ReadReplica) -> list[Quote]:
    """Read what may be a moment old."""
    assert_type(await replica.get(StoredQuote, sku), StoredQuote | None)
    assert_type(await replica.require(StoredQuote, sku), StoredQuote)
    assert_type(await replica.count(StoredQuote, {"amount": 1}), int)
    found = await replica.find(StoredQuote, order=["sku"], limit=3)
    assert_type(found, list[StoredQuote])
    assert_type(await replica.fetch(Quote, "select * from quotes"), list[Quote])
    return [Quote(sku=q.sku, amount=q.amount) for q in found]


shop.breaker(QuotesApi, error_threshold=25.0, volume_threshold=20, reset_timeout=10)


@shop.fallback(QuotesApi.quote, timeout=1.0, cached=300)
async def no_quote(sku: str, language: Annotated[str, Header("Accept-Language")] = "en") -> Quote:
    """Answer while nobody offers."""
    return Quote(sku=sku, amount=len(language))


async def stand_ins(offers: QuotesApi) -> bool:
    """Say whether an answer is a fallback."""
    with fallbacks() as used:
        assert_type(await offers.quote("a"), Quote)
    assert_type(used, list[StandIn])
    return any(each.kind == "cached" for each in used)


@shop.post("/orders", access=role("clerk"), idempotent=True, status=201, timeout=2.5, attempts=3)
async def order(
    principal: Principal, tx: Transaction, offers: QuotesApi, deadline: Deadline, clock: Clock, sku: str = "a"
) -> Reply[Quote]:
    """Call another service through its contract."""
    try:
        made = await offers.quote(sku, language="de")
    except CallRejected as error:
        raise Problem(422, "no-such-thing", error.detail) from error
    assert_type(made, Quote)
    await offers.drop(sku=made.sku)
    tx.put(StoredQuote(sku=f"{principal.subject} {deadline.remaining()} {clock.now().year}"))
    return Reply(body=made, headers={"Location": f"/orders/{sku}"})


@shop.get("/token", access=scope("sign"))
async def token(tokens: TokenIssuer, principal: Principal | None = None) -> str:
    """Sign."""
    return tokens.issue("ann", roles=["clerk"], claims={"by": principal.subject if principal else None})


@quotes.on(QuoteMadeV2, upcasters=[add_currency], leads_to=[QuoteTaken])
async def made_lately(event: QuoteMadeV2) -> None:
    """Handle an event of either version; an upcaster is still a function."""
    assert_type(add_currency(QuoteMade(sku=event.sku, amount=event.amount)), QuoteMadeV2)


@shop.on(QuoteMade, batch=50, attempts=3)
async def many(events: Sequence[QuoteMade], tx: Transaction) -> None:
    """Take many events at a time."""
    assert_type([event.amount for event in events], list[int])
    tx.put(StoredQuote(sku=events[0].sku, amount=len(events)))


@shop.on(QuoteTaken, batch=50)
async def many_in_a_list(events: list[QuoteTaken], till: Till) -> None:
    """Take many events as a list."""
    events.sort(key=lambda event: event.sku)
    assert_type(till, Till)


@shop.on(QuoteMade, attempts=3)
async def made(event: QuoteMade, tx: Transaction) -> None:
    """Handle an event."""
    stored = await tx.require(StoredQuote, event.sku)
    assert_type(stored, StoredQuote)
    tx.put(stored)


@quotes.saga("sell", timeout=60.0)
class Sell(Saga[StoredQuote]):
    """Every part of a saga."""

    async def release(self, state: StoredQuote, tx: Transaction) -> None:
        """Undo `reserve`."""
        tx.delete(StoredQuote, state.sku)

    @step(compensate=release, timeout=5.0, attempts=3, backoff=0.1)
    async def reserve(self, state: StoredQuote, tx: Transaction, clock: Clock) -> StoredQuote:
        """Change what is known."""
        tx.put(state)
        return StoredQuote(sku=state.sku, amount=state.amount + clock.now().second)

    @pivot(timeout=5.0)
    async def charge(self, state: StoredQuote, api: QuotesApi) -> StoredQuote | None:
        """Refuse, or leave the state as it is."""
        if state.amount < 0:
            raise StepRefused(self.idempotency_key + self.key + self.id)
        await api.quote(sku=state.sku)
        return None

    @retriable(attempts=100)
    async def tell(self, state: StoredQuote, tx: Transaction, deadline: Deadline) -> None:
        """Change nothing of it."""
        tx.publish(QuoteMade(sku=state.sku, amount=int(deadline.remaining())))


@quotes.on(QuoteTaken)
async def sell(event: QuoteTaken, tx: Transaction) -> None:
    """Begin a saga."""
    begun = await tx.start(Sell, StoredQuote(sku=event.sku, amount=1), key=event.sku)
    assert_type(begun, bool)


async def traced(trace: Trace) -> str:
    trace.set("basket.lines", 3)
    with trace.span("price", {"skus": ["tea", "milk"], "fresh": True}):
        trace.event("found", {"meters": 1.5})
    return trace.id
