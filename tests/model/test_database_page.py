"""The page about databases is what the shop declares; ``SHOAL_UPDATE_GOLDEN=1`` writes it anew."""

import os
from pathlib import Path

from shoal.model import catalog
from shoal.model.database_page import MANAGED, page
from shoal.model.service import Service
from shoal.model.store import Store
from shoal.model.system import System
from shoal.service.describe import describe
from shop.system import system

PAGE = Path(__file__).parents[2] / "docs/reference/databases.md"


def test_the_page_is_what_the_shop_declares() -> None:
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        PAGE.write_text(page(describe(system)), "utf-8")
    assert PAGE.read_text("utf-8") == page(describe(system))


def test_every_service_of_the_shop_says_why() -> None:
    for service in describe(system).services:
        for kept in (service.store, service.cache, service.warehouse, service.search, service.objects):
            assert kept is None or kept.why, service.name


def test_what_is_meant_for_production_is_told_apart_from_what_runs_here() -> None:
    store = Store(engine="documents", production="dynamodb", why="it grows")
    one = System(
        name="s", services=(Service(name="orders", entry="m:s", store=store), Service(name="web", entry="m:w"))
    )
    orders, web = page(one).splitlines()[-2:]
    here = catalog.engine("documents").product
    assert orders == f"| orders | data | {here} | Amazon DynamoDB | it grows |"
    assert web.startswith("| web | nothing |")


def test_every_engine_that_keeps_data_has_a_name_in_production() -> None:
    keeping = [row for row in catalog.ENGINES if row.kind in ("store", "cache", "warehouse", "search", "objects")]
    assert {row.name for row in keeping if row.scheme != "memory"} == MANAGED.keys()
