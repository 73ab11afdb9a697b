"""Services that share classes, command by events, or ask back: where their pages end."""

from pathlib import Path

import pytest

from shoal.check import page
from shoal.check.table import RULES
from tests.check.projects import found, report_of

BY_CODE = {rule.code: rule for rule in RULES}
SHARED = page.read(BY_CODE["SH108"]).example("Bad").files
RECORD = """
import msgspec
from shoal import Postgres, Service, anyone, event, record

@event("orders.placed", key="order_id")
class Placed(msgspec.Struct):
    order_id: str
    lines: tuple["Line", ...]

class Line(msgspec.Struct):
    sku: str

@record("orders", key="order_id")
class Order(msgspec.Struct):
    order_id: str

orders = Service("orders", store=Postgres(), publishes=[Placed])
"""


def codes(root: Path, files: dict[str, str], code: str) -> list[tuple[str, str]]:
    return found(report_of(root, files, code))


def test_a_class_that_one_service_uses_is_not_shared(tmp_path: Path) -> None:
    files = SHARED | {
        "letters.py": SHARED["letters.py"].replace("from common import Customer\n", "class Customer: ...\n")
    }
    assert codes(tmp_path, files, "SH108") == []


@pytest.mark.parametrize(("imported", "places"), [("Order", ["letters.py:1"]), ("Placed", []), ("Line", [])])
def test_records_of_others_are_shared_and_events_with_their_parts_are_not(
    imported: str, places: list[str], tmp_path: Path
) -> None:
    letters = SHARED["letters.py"].replace("from common import Customer", f"from orders import {imported} as Customer")
    files = SHARED | {"orders.py": RECORD, "letters.py": letters}
    assert [place for _, place in codes(tmp_path, files, "SH108")] == places


def test_folders_of_services_are_theirs(tmp_path: Path) -> None:
    def moved(text: str) -> str:
        return text.replace("from common", "from mall.common")

    files = {
        "system.py": "from shoal import System\nfrom mall.letters.service import letters\n"
        'from mall.orders.service import orders\nsystem = System("shop", services=[orders, letters])\n',
        "mall/common.py": SHARED["common.py"],
        "mall/orders/service.py": moved(SHARED["orders.py"]).replace("from mall.common", "from mall.orders.types"),
        "mall/orders/types.py": "from mall.common import Customer as Customer\n",
        "mall/letters/service.py": moved(SHARED["letters.py"]),
    }
    assert codes(tmp_path, files, "SH108") == [("SH108", "mall/common.py:4")]


COMMAND = page.read(BY_CODE["SH109"]).example("Bad").files["system.py"]


@pytest.mark.parametrize(
    ("name", "verbs", "is_command"),
    [
        ("orders.charge_card", "", True),
        ("orders.send", "", True),
        ("orders.sent", "", False),
        ("orders.card_charged", "", False),
        ("orders.order.cancel", "", False),
        ("orders.frobnicate", "", False),
        ("orders.frobnicate", "frobnicate", True),
    ],
)
def test_a_command_begins_with_a_verb(name: str, verbs: str, is_command: bool, tmp_path: Path) -> None:
    settings = f'[tool.shoal.check.options.SH109]\nverbs = ["{verbs}"]\n'
    files = {"system.py": COMMAND.replace("orders.charge_card", name), "pyproject.toml": settings}
    assert bool(codes(tmp_path, files, "SH109")) == is_command


BACK = page.read(BY_CODE["SH110"]).example("Bad").files["system.py"]


def test_to_ask_somebody_else_is_no_asking_back(tmp_path: Path) -> None:
    other = BACK.replace('@contract("orders")', '@contract("totals")').replace(
        "@orders.implements", "@totals.implements"
    )
    other = other.replace("payments = Service", 'totals = Service("totals")\npayments = Service')
    other = other.replace("[orders, payments]", "[orders, payments, totals]")
    assert codes(tmp_path, {"system.py": other}, "SH110") == []


def test_asking_back_is_found_in_what_a_handler_leads_to(tmp_path: Path) -> None:
    helper = "async def asked(orders: OrdersApi) -> int:\n    return await orders.total(order_id='1')\n"
    text = BACK.replace("await orders.total(order_id=event.order_id)", "await asked(orders)") + helper
    assert codes(tmp_path, {"system.py": text}, "SH110") == [("SH110", f"system.py:{text.count(chr(10))}")]
