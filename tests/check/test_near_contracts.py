"""Contracts beside a system: what no file holds, and what only looks so."""

import json
from pathlib import Path

import pytest

from tests.check.projects import found, report_of

SYSTEM = """
import msgspec

from shoal import Postgres, Service, System, Transaction, event, internal


@event("orders.placed", key="order_id"{version})
class OrderPlaced(msgspec.Struct, frozen=True, kw_only=True):
    order_id: str


orders = Service("orders", store=Postgres(), publishes=[OrderPlaced])


@orders.on(OrderPlaced)
async def pack(event: OrderPlaced, tx: Transaction) -> None: ...


system = System("shop", services=[orders])
"""


def schema(identifier: str) -> str:
    return json.dumps(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": identifier,
            "x-key": "order_id",
            "title": "OrderPlaced",
            "type": "object",
            "properties": {"order_id": {"type": "string"}},
            "required": ["order_id"],
        }
    )


@pytest.mark.parametrize(
    ("version", "locked", "codes"),
    [
        ("", "orders.placed.v1", []),
        (", version=2", "orders.placed.v1", ["SH604"]),  # the new version is in no file
        ("", "orders.paid.v1", ["SH604"]),
    ],
)
def test_versions_that_no_file_holds(tmp_path: Path, version: str, locked: str, codes: list[str]) -> None:
    path = f"contracts/orders/events/{locked.removeprefix('orders.')}.json"
    files = {"system.py": SYSTEM.replace("{version}", version), path: schema(locked)}
    assert [code for code, _ in found(report_of(tmp_path, files, "SH604"))] == codes


def test_nobody_asks_where_nothing_is_locked(tmp_path: Path) -> None:
    report = report_of(tmp_path, {"system.py": SYSTEM.replace("{version}", "")}, "SH604")
    assert (report.findings, [one.code for one in report.unasked]) == ((), ["SH604"])
