"""A shop as somebody writes it late in the evening: helpers, objects, ports, decorators; what is wrong is found there.

Lines end in a comment with the codes that are to be found there by the rules that are asked, and nothing else is.
"""

import re
from pathlib import Path

import pytest

from tests.check.projects import found, report_of

CONTRACTS = '''
from typing import Protocol

from shoal import contract, get, internal, post


@contract("prices")
class PricesApi(Protocol):
    @get("/price", access=internal)
    async def price(self, sku: str) -> int:
        """Tell a price."""
        ...

    @post("/hold", access=internal)
    async def hold(self, sku: str) -> int:
        """Keep a price."""
        ...


@contract("stock")
class StockApi(Protocol):
    @post("/take", access=internal)
    async def take(self, sku: str) -> int:
        """Take a piece."""
        ...
'''

SYSTEM = '''
from typing import Protocol

import msgspec

from contracts import PricesApi, StockApi
from shoal import Postgres, Service, System, Transaction, internal, record
{imports}

prices = Service("prices", store=Postgres(migrations=""), contracts=[PricesApi])
stock = Service("stock", store=Postgres(migrations=""), contracts=[StockApi])
web = Service("web", store=Postgres(migrations="", sql=True))


@record("pens", key="sku")
class Pen(msgspec.Struct, frozen=True):
    sku: str


@prices.implements(PricesApi.price)
async def price(sku: str) -> int:
    """Tell a price."""
    return 3


@prices.implements(PricesApi.hold)
async def hold(sku: str, tx: Transaction) -> int:
    """Keep a price."""
    tx.insert(Pen(sku))
    return 3


@stock.implements(StockApi.take)
async def take(sku: str, tx: Transaction) -> int:
    """Take a piece."""
    tx.insert(Pen(sku))
    return 3

{code}

system = System("shop", services=[prices, stock, web])
'''

OBJECTS = """
import asyncio
from functools import partial

from contracts import PricesApi


async def one(api, sku):
    return await api.price(sku)  # <- SH103 SH103


class Wishes:
    def __init__(self, api: PricesApi) -> None:
        self.api = api

    async def total(self, skus: list[str]) -> int:
        return sum(await asyncio.gather(*(one(self.api, sku) for sku in skus)))

    async def names(self, skus: list[str]) -> list[int]:
        return list(await asyncio.gather(*map(partial(one, self.api), skus)))


class Dear(Wishes):
    @classmethod
    def of(cls, api: PricesApi) -> "Dear":
        return cls(api)

    async def dear(self, skus: list[str]) -> int:
        api, found = self.api, []
        for sku in skus:
            found.append(await api.price(sku))  # <- SH103
        return sum(found)
"""

ASKING = """
@web.provide
def wishes(api: PricesApi) -> Wishes:
    return Dear.of(api)


@web.get("/total", access=internal)
async def total(skus: list[str], wishes: Wishes) -> int:
    return await wishes.total(skus)


@web.get("/names", access=internal)
async def names(skus: list[str], api: PricesApi) -> list[int]:
    mine = Wishes(api)
    return await mine.names(skus)


@web.get("/dear", access=internal)
async def dear(skus: list[str], api: PricesApi) -> int:
    return await Dear.of(api).dear(skus)
"""

REPEATING = """
import functools

import tenacity


def patient(times):
    def wrapped(function):
        @functools.wraps(function)
        async def inner(*args):
            for _ in range(times):
                try:
                    return await function(*args)
                except Exception:
                    continue
        return inner
    return wrapped


async def insist(call, *args):
    while True:
        try:
            return await call(*args)
        except Exception:
            continue


@patient(3)
async def first(api, sku):
    return await api.price(sku)  # <- SH302


async def second(api, sku):
    async for attempt in tenacity.AsyncRetrying():
        with attempt:
            return await api.price(sku)  # <- SH302
    return 0


async def third(api, sku):
    return await insist(api.price, sku)  # <- SH302

"""
REPEATED = """
@web.get("/{name}", access=internal)
async def ask_{name}(sku: str, api: PricesApi) -> int:
    return await {name}(api, sku)
"""

PORT = """
import httpx

from shoal import Transaction

CLIENT = None


class Chat:
    async def say(self, text: str) -> None:
        async with httpx.AsyncClient(timeout=5) as client:
            await client.request("POST", "http://chat.example", json=text)  # <- SH203

    async def read(self) -> None:
        async with httpx.AsyncClient(timeout=5) as client:
            await client.request("GET", "http://chat.example")


class Room:
    async def say(self, text: str) -> None:
        await Chat().say(text)


async def everything(tx: Transaction) -> list[str]:
    return [str(each) for each in await tx.fetch(str, Queries.ALL.format(column="sku"))]  # <- SH208 SH201


class Queries:
    TABLE = "pens"
    ALL = f"SELECT {{column}} FROM {TABLE} " + "ORDER BY 1"
    SOME = f"SELECT sku FROM {TABLE} WHERE {TABLE}.sku = $1"
"""
SAYING = """
class Talk(Protocol):
    async def say(self, text: str) -> None: ...

    async def read(self) -> None: ...


@web.provide
def talk() -> Talk:
    return Room()


@web.post("/notes", access=internal)
async def note(text: str, tx: Transaction, talk: Talk) -> None:
    tx.insert(Pen(text))
    await talk.say(text)


@web.post("/reads", access=internal)
async def read(text: str, tx: Transaction) -> None:
    tx.insert(Pen(text))
    await Chat().read()


@web.get("/everything", access=internal)
async def show(tx: Transaction) -> list[str]:
    return await everything(tx)


@web.get("/some", access=internal)
async def some(tx: Transaction, more: str = "") -> list[str]:
    asked = f"SELECT sku FROM notes {more}"
    return [*await tx.fetch(str, Queries.SOME, "1"), *await tx.fetch(str, asked)]  # <- SH201
"""

DESK = """
from contracts import PricesApi, StockApi


class Base:
    def __init__(self, prices: PricesApi, stock: StockApi) -> None:
        self.prices, self.stock = prices, stock

    async def both(self, sku: str) -> None:
        await self._held(sku)
        await self.stock.take(sku)  # <- SH204

    async def _held(self, sku: str) -> None:
        await self.prices.hold(sku)


class Desk(Base):
    ...
"""
BUYING = """
@web.provide
def desk(prices: PricesApi, stock: StockApi) -> Desk:
    return Desk(prices, stock)


@web.post("/orders", access=internal)
async def order(sku: str, desk: Desk) -> None:
    await desk.both(sku)
"""


def marked(files: dict[str, str]) -> list[tuple[str, str]]:
    return sorted(
        (code, f"{path}:{number}")
        for path, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        for code in re.findall(r"SH\d+", line.partition("# <-")[2])
    )


def system(imports: str, code: str) -> str:
    return SYSTEM.replace("{imports}", imports).replace("{code}", code)


@pytest.mark.parametrize(
    ("module", "imports", "code", "rules"),
    [
        (OBJECTS, "from other import Dear, Wishes", ASKING, ["SH103"]),
        (
            REPEATING.replace("import tenacity", "if not __name__:\n    import tenacity"),
            "from other import first, second, third",
            "".join(REPEATED.replace("{name}", name) for name in ("first", "second", "third")),
            ["SH302"],
        ),
        (
            PORT.replace("import httpx", "if not __name__:\n    import httpx"),
            "from other import Chat, Queries, Room, everything",
            SAYING,
            ["SH201", "SH203", "SH208"],
        ),
        (DESK, "from other import Desk", BUYING, ["SH204"]),
    ],
    ids=["objects", "repeating", "ports", "order"],
)
def test_it_is_found_where_it_stands(tmp_path: Path, module: str, imports: str, code: str, rules: list[str]) -> None:
    tables = {
        "web/001_web.sql": "CREATE TABLE notes (note text);",
        "stock/001_stock.sql": "CREATE TABLE pens (sku text);",
    }
    text = system(imports, code).replace('migrations="", sql', 'migrations="web", sql')
    text = text.replace('"stock", store=Postgres(migrations="")', '"stock", store=Postgres(migrations="stock")')
    files = {"contracts.py": CONTRACTS, "other.py": module, "system.py": text, **tables}
    report = report_of(tmp_path, files, "SH001", "SH002", *rules)
    assert sorted(found(report)) == marked(files), [(f.where, f.message) for f in report.findings]


def test_what_happens_first_is_what_nothing_undoes(tmp_path: Path) -> None:
    files = {"contracts.py": CONTRACTS, "other.py": DESK, "system.py": system("from other import Desk", BUYING)}
    (finding,) = report_of(tmp_path, files, "SH204").findings
    assert finding.message == "web.order changes 2 services, and nothing undoes prices.hold when stock.take fails"
