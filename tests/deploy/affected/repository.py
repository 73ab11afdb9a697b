"""A project of four services in a repository of its own, and what changes of it concern."""

import subprocess
import sys
from pathlib import Path

from shoal.cli import history
from shoal.deploy.affected.answer import Answer
from shoal.deploy.affected.verdict import affected
from shoal.operating import project
from shoal.operating.where import Project

FILES = {
    "shop/__init__.py": "",
    "shop/system.py": """
from shoal import System
from shop import around
from shop.desk.service import desk
from shop.mail.service import mail
from shop.orders.service import orders
from shop.reports.service import reports
system = System("small", services=[orders, desk, mail, reports])
""",
    "shop/around.py": "",
    "shop/money/__init__.py": "from shop.money.rates import RATES",
    "shop/money/rates.py": "RATES = {}",
    "shop/money/rates.json": "{}",
    "shop/orders/contract.py": """
from typing import Protocol
import msgspec
from shoal import contract, event, get, internal
@event("orders.placed", key="order_id")
class Placed(msgspec.Struct):
    order_id: str
    amount: int
class Price(msgspec.Struct):
    amount: int
@contract("orders")
class OrdersApi(Protocol):
    @get("/prices", access=internal)
    async def prices(self) -> Price: ...
    @get("/names", access=internal)
    async def names(self) -> list[str]: ...
""",
    "shop/orders/service.py": """
from shoal import Postgres, Service
from shop.orders.contract import OrdersApi, Placed, Price
from shop.orders import pricing
orders = Service("orders", store=Postgres(), publishes=[Placed])
@orders.implements(OrdersApi.prices)
async def prices() -> Price: ...
@orders.implements(OrdersApi.names)
async def names() -> list[str]: ...
""",
    "shop/orders/pricing.py": "def price():\n    from shop.money import RATES",
    "shop/orders/migrations/001.sql": "select 1",
    "shop/orders/README.md": "orders",
    "shop/orders/letter.md": "Dear",
    "shop/orders/tests/test_pricing.py": "",
    "shop/desk/service.py": """
from shoal import Service, anyone
from shop.orders.contract import OrdersApi
desk = Service("desk")
@desk.get("/desk", access=anyone)
async def show(orders: OrdersApi) -> int:
    return (await orders.prices()).amount
""",
    "shop/mail/service.py": """
from shoal import Postgres, Service, Transaction
from shop.orders.contract import Placed
mail = Service("mail", store=Postgres())
@mail.on(Placed)
async def send(event: Placed, tx: Transaction) -> None: ...
""",
    "shop/reports/service.py": """
from shoal import Service
from shop.money import rates
reports = Service("reports")
""",
    "shop/unused.py": "",
    "pyproject.toml": '[tool.shoal]\nsystem = "shop.system:system"\nunaffected = ["bench/*"]\n',
    "deploy/base/orders/deployment.yaml": "",
    "deploy/base/kustomization.yaml": "",
    "docs/index.md": "",
    "bench/run.py": "",
    "tests/test_all.py": "",
}


def git(folder: Path, *arguments: str) -> str:
    own = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
    line = ("git", "-C", str(folder), *own, *arguments)
    done = subprocess.run(line, check=True, capture_output=True, text=True)  # noqa: S603 - git, in a test
    return done.stdout


def commit(folder: Path) -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "work")
    return git(folder, "rev-parse", "HEAD").strip()


def write(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")


def forget() -> None:
    """Let the next project of that name be read anew."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]


def compared(folder: Path, since: str, *, unaffected: tuple[str, ...] = ("bench/*",)) -> Answer:
    """Answer as the command does."""
    where = Project(root=folder, system="shop.system:system")
    forget()
    system = project.read(where)
    found = history.changes(folder, since, contracts="contracts", system="shop.system", unaffected=unaffected)
    return affected(system, found)
