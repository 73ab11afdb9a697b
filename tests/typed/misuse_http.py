"""Mistakes with endpoints, contracts and clients; each line that says so must be flagged."""

from shoal import (
    Page,
    PageRequest,
    Postgres,
    Principal,
    Reply,
    Secret,
    Service,
    Socket,
    System,
    Transact,
    Transaction,
    anyone,
    role,
)
from tests.typed.contract import Quote, QuotesApi

quotes = Service("quotes", contracts=[QuotesApi])
wordy = Service("wordy", store="postgres")  # expect-error
homeless = Service("homeless", store=Postgres(migration="sql"))  # expect-error
numbered = System("numbered", services=["quotes"])  # expect-error
roles = role(1)  # expect-error
text = "password: " + Secret("x")  # expect-error


@quotes.implements(QuotesApi.quote)  # expect-error
async def other_answer(sku: str) -> str:
    """Answer something else than the contract says."""
    return sku


@quotes.implements(QuotesApi.qoute)  # expect-error
async def misspelt(sku: str) -> Quote:
    """Implement what is not there."""
    return Quote(sku=sku, amount=1)


@quotes.implements(QuotesApi.drop)  # expect-error
def synchronous(sku: str) -> None:
    """Forget that handlers are asynchronous."""


@quotes.get("/a")  # expect-error
def blocking() -> str:
    """Forget that handlers are asynchronous."""
    return "a"


@quotes.get("/b", acces=anyone)  # expect-error
async def open_door() -> str:
    """Misspell an option."""
    return "b"


@quotes.get("/c", timeout="5 s")  # expect-error
async def timely() -> str:
    """Say a number in words."""
    return "c"


@quotes.get("/d", access="anyone")  # expect-error
async def worded() -> str:
    """Say who may call in words."""
    return "d"


@quotes.get("/e", access=anyone)
async def caller(api: QuotesApi, principal: Principal | None = None) -> Reply[Quote]:
    """Make every mistake that a client allows."""
    await api.qoute("a")  # expect-error
    await api.quote(1)  # expect-error
    await api.quote()  # expect-error
    await api.quote("a", lang="de")  # expect-error
    await api.make({"sku": "a"})  # expect-error
    api.drop("a")  # expect-error
    made = await api.quote("a")
    print(made.price)  # expect-error  # noqa: T201
    made.amount.upper()  # expect-error
    print(principal.subject)  # expect-error  # noqa: T201
    return Reply(body="quote")  # expect-error


@quotes.get("/f", access=anyone)
async def pages(page: PageRequest) -> Page[Quote]:
    """Answer a page of something else."""
    return page.of(["a"], total=1)  # expect-error


@quotes.socket("/talk/a", access=anyone, rte=5)  # expect-error
async def rushed(socket: Socket[int, str]) -> None:
    """Misspell an option."""


@quotes.socket("/b", access=anyone)
async def mixed(socket: Socket[int, str], transact: Transact) -> None:
    """Say what only the client says."""
    async for heard in socket:
        await socket.send(heard)  # expect-error

    async def work(tx: Transaction) -> int:
        return 1

    text: str = await transact(work)  # expect-error
    await socket.send(text)


@quotes.socket("/c", access=anyone)  # expect-error
async def answering(socket: Socket[int, str]) -> str:
    """Return what nobody gets."""
    return ""


@quotes.socket("/d", access=anyone)  # expect-error
def silent(socket: Socket[int, str]) -> None:
    """Forget that handlers are asynchronous."""


@quotes.post("/e", audited="always")  # expect-error
async def recorded(body: int) -> None:
    """Say when instead of whether."""
