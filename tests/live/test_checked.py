"""What only a run shows: a broken shop runs, `shoal check --observed` finds what it did, and `shoal fit` counts it."""

import asyncio
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import pytest

from shoal.check.observed import Observed, SeenSession
from shoal.cli.program import main
from shoal.dashboard.store import runs
from shoal.dashboard.store.reading import database, seen
from shoal.errors import HostError
from shoal.local.layout import layout_of
from shoal.local.ports import free_port
from shoal.local.secrets import known_passwords
from shoal.testing import LiveSystem
from shoal.testing.live import start_live
from tests.check.breaks.kinds import Edit
from tests.check.broken import Finding, another_shop, check, copied, edit
from tests.live.shopping import sign_in, until

pytestmark = pytest.mark.live

WEB, MOBILE = "shop/web/service.py", "shop/mobile/service.py"
CART, PAGES = 12, 3
"""Products in the one cart that is looked at, and pages that are shown."""

CHATTY = (
    Edit(WEB, "await products.prices(skus=list(cart.pieces))", "await one_by_one(list(cart.pieces), products)"),
    Edit(
        WEB,
        "async def looked_at(",
        "async def one_by_one(skus: list[str], products: ProductsApi) -> list[Price]:\n"
        "    asked = await products.prices(skus[:1])\n"
        "    return [*asked, *(await one_by_one(skus[1:], products) if len(skus) > 1 else ())]\n\n\n"
        "async def looked_at(",
    ),
)
"""No loop stands in the source, and yet each product of a cart is asked for by itself."""

PAST = (
    Edit(
        MOBILE,
        "    offer = prices.value[0]\n",
        '    with trace.span("GET /stock/{sku}", {"peer.service": "inventory"}):\n'
        "        limit = aiohttp.ClientTimeout(total=2.0)\n"
        "        async with aiohttp.ClientSession(timeout=limit) as http:\n"
        '            await http.get(f"http://127.0.0.1:PORT/stock/{sku}")\n'
        "    offer = prices.value[0]\n",
    ),
    Edit(MOBILE, "async def show_card(sku: str, ", "async def show_card(trace: Trace, sku: str, "),
    Edit(MOBILE, "Problem, Service, anyone", "Problem, Service, Trace, anyone"),
    Edit(MOBILE, "import msgspec\n", "import aiohttp\nimport msgspec\n"),
)
"""A client of its own, past the contracts."""


class Ran(NamedTuple):
    """Two runs of a shop, which was mended in between."""

    root: Path
    found: set[tuple[str, str, str, str]]
    """What the check of the first found."""
    observed: Observed
    """What the first has seen."""


@pytest.fixture(name="ran", scope="module")
def _ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    root = copied(tmp_path_factory.mktemp("seen"))
    port = str(free_port())
    edit(root, [Edit(file, before, after.replace("PORT", port)) for file, before, after in (*CHATTY, *PAST)])
    with _running(root, port) as live:
        asyncio.run(_both(live))
    found, observed = _places(root, check(root, "--observed")), _seen(root, 1)
    mended = [*CHATTY[:1], *PAST[:1]]
    edit(root, [Edit(file, after.replace("PORT", port), before) for file, before, after in mended])
    with _running(root, port) as live:
        asyncio.run(_shopped(live))
    return Ran(root, found, observed)


@contextmanager
def _running(root: Path, port: str) -> Iterator[LiveSystem]:
    try:
        live = start_live(root, "shop.system:system", root, "--port", port)
    except HostError as error:
        pytest.skip(f"the real engines cannot run here: {error.message}")
    try:
        yield live
    finally:
        live.stop()


async def _both(live: LiveSystem) -> None:
    await asyncio.gather(_shopped(live), _trespassed(live))


async def _shopped(live: LiveSystem) -> None:
    """Fill a cart and look at it, look at some pages, sign up, and have a price changed."""
    skus = [one["sku"] for one in (await live.get(f"/products?limit={CART}")).json()["data"]]
    visit: dict[str, str] = {}
    for sku in skus:
        answer = await live.request("PUT", f"/web/cart/{sku}", json={"quantity": 1}, headers=visit)
        visit = {"cookie": answer.headers["set-cookie"].partition(";")[0]}
    assert len((await live.get("/web/cart", headers=visit)).json()["lines"]) == CART
    for sku in skus[:PAGES]:
        assert (await live.get(f"/web/products?sku={sku}")).status == 200
    assert (await live.get(f"/mobile/products/{skus[0]}")).status == 200
    await sign_in(live)
    known = (await live.get(f"/products/{skus[0]}")).json()
    details = {name: known[name] for name in ("name", "description", "category")}
    admin = live.token("usr_admin", roles=["admin"])
    changed = await live.put(f"/products/{skus[0]}", json=details | {"amount": known["amount"] + 1}, token=admin)
    assert changed.status == 200, changed.body

    async def recorded() -> bool | None:
        found = _seen(live.root, 0)
        calls = {(call.caller, call.callee): call.count for call in found.calls}
        events = {(event.event, event.consumer) for event in found.events}
        wanted = {("users.signed_up.v1", "notifications"), ("products.price_changed.v1", "")}
        return (calls.get(("web", "inventory")) == PAGES and wanted <= events) or None

    await until(recorded, within=20, what="what was done to be recorded")


async def _trespassed(live: LiveSystem) -> None:
    """Look into the database of users as analytics, which was let in, and by a client of payments with its password."""
    layout = layout_of(live.root)
    words = known_passwords(layout.secrets).stores
    place: dict[str, Any] = {"host": str(layout.postgres_sockets), "timeout": 10}
    operator = await asyncpg.connect(user="postgres", password=words["postgres"], database="postgres", **place)
    await operator.execute("GRANT CONNECT ON DATABASE users TO analytics")
    let_in = await asyncpg.connect(user="analytics", password=words["analytics"], database="users", **place)
    name = {"application_name": "payments"}  # as PostgreSQL's own client says it there, by PGAPPNAME
    known = await asyncpg.connect(
        user="users", password=words["users"], database="users", server_settings=name, **place
    )
    wanted = {SeenSession(database="users", role="analytics", most=1)}
    wanted |= {SeenSession(database="users", role="users", service="payments", most=1)}

    async def noticed() -> bool | None:
        return wanted <= {*_seen(live.root, 0).sessions} or None

    await until(noticed, within=20, what="the server's statistics to be read")
    for one in (operator, let_in, known):
        await one.close()


def _seen(root: Path, number: int) -> Observed:
    with database(runs.find(runs.folder_of(root), number)) as opened:
        return seen(opened, f"run {number}")


def _said(root: Path, *words: str) -> str:
    """Type a command for the shop in a folder, and return what it prints."""
    with another_shop(root), redirect_stdout(io.StringIO()) as out, pytest.raises(SystemExit) as ended:
        main(["-q", "-C", str(root), *words])
    assert ended.value.code == 0
    return out.getvalue()


def _places(root: Path, findings: list[Finding]) -> set[tuple[str, str, str, str]]:
    """List code, file, line and text of what is worse than a remark."""
    lines = {f["where"]["file"]: (root / f["where"]["file"]).read_text("utf-8").splitlines() for f in findings}
    return {
        (f["code"], f["where"]["file"], lines[f["where"]["file"]][f["where"]["line"] - 1].strip(), f["message"])
        for f in findings
        if f["severity"] != "info"
    }


def test_what_was_done_past_the_declarations_is_found(ran: Ran) -> None:
    asked, own = "asked = await products.prices(skus[:1])", "shop/{}/service.py"
    assert ran.found == {
        ("SH103", WEB, asked, f"web.show_cart called products.prices {CART} times in one piece of work"),
        ("SH407", MOBILE, "@mobile.get(", "mobile calls inventory.stock, and does not declare it: 1 time in run 1"),
        ("SH202", own.format("analytics"), "analytics = Service(", "analytics was seen in the database of users"),
        ("SH202", own.format("payments"), "payments = Service(", "payments was seen in the database of users"),
    }


def test_once_mended_a_new_run_shows_nothing_of_it(ran: Ran) -> None:
    assert _places(ran.root, check(ran.root, "--observed")) == set()
    statements = {(one.database, one.service) for one in _seen(ran.root, 2).sessions if one.tables}
    assert {("users", "users"), ("products", "products"), ("notifications", "notifications")} <= statements
    assert [pair for pair in statements if pair[0] != pair[1]] == [], "each in its own database"


def test_what_a_run_did_and_nobody_declares_any_more_is_found(ran: Ran, tmp_path: Path) -> None:
    products, letters = "shop/products/service.py", "shop/notifications/service.py"
    edits = (
        Edit(
            products,
            "publishes=[ProductListed, ProductChanged, PriceChanged]",
            "publishes=[ProductListed, ProductChanged]",
        ),
        Edit(letters, "@notifications.on(UserSignedUp, leads_to=[])\n", ""),
    )
    edit(ran.root, edits)
    found = _places(ran.root, check(ran.root, "--observed", "--only", "SH407"))
    edit(ran.root, [Edit(file, after, before) for file, before, after in edits[:1]])
    edit(
        ran.root,
        [Edit(letters, "async def remember(", "@notifications.on(UserSignedUp, leads_to=[])\nasync def remember(")],
    )
    assert found == {
        (
            "SH407",
            products,
            "products = Service(",
            "products announces products.price_changed.v1, and does not publish it: 1 time in run 2",
        ),
        (
            "SH407",
            letters,
            "notifications = Service(",
            "notifications hears users.signed_up.v1, and does not subscribe to it: 1 time in run 2",
        ),
    }
    assert check(ran.root, "--observed", "--only", "SH407") == [], "as the findings say"


def test_the_policy_keeps_what_was_used_and_nothing_else(ran: Ran) -> None:
    text = _said(ran.root, "check", "--observed", "--policy")
    assert text.startswith("--- shop: declared\n+++ shop: used in run 2\n")
    idle = {line.removeprefix("-allow ") for line in text.splitlines() if line.startswith("-allow ")}
    assert {line for line in idle if line.startswith(("web ", "mobile ", "users ", "notifications "))} == {
        "users to publish users.erased.v1",
        "notifications to call mail",
        "notifications to hear notifications.feedback_due.v1",
        "notifications to hear orders.cancelled.v1",
        "notifications to hear orders.confirmed.v1",
        "notifications to hear orders.returned.v1",
        "notifications to hear users.erased.v1",
        "notifications to publish notifications.feedback_due.v1",
        "notifications to publish notifications.mail_refused.v1",
    }
    assert "inventory to call products.prices" in idle
    assert "products to publish products.price_changed.v1" not in idle


def test_fit_counts_what_the_run_did(ran: Ran) -> None:
    advice = json.loads(_said(ran.root, "fit", "--run", "1", "--team", "4", "-o", "json"))
    (pair,) = [one for one in advice["merges"] if (one["caller"], one["callee"]) == ("web", "products")]
    chatty = next(one for one in pair["criteria"] if one["name"] == "chatty")
    work, calls = CART + 1 + PAGES, CART + PAGES  # what goes into the cart, a look at it, and pages
    assert chatty["found"] == f"{calls / work:.2f} calls each, at most {CART} ({calls} calls, {work} pieces, run 1)"
    assert chatty["met"], "more than 10 calls in one"
    asked = next(one for one in ran.observed.calls if (one.caller, one.callee) == ("web", "products"))
    answered = next(one for one in ran.observed.operations if (one.service, one.endpoint) == ("products", "prices"))
    between = max(0.0, asked.p50 - answered.p50) * 1000
    said = re.search(r"0\.94 calls × ([\d.]+) ms \(medians of run 1\)", pair["effect"]["latency"])
    assert said
    assert float(said[1]) == pytest.approx(between, rel=0.06), "two digits"
    hasty = next(one for one in advice["whole"]["criteria"] if one["name"] == "little time")
    assert "medians of run 1" in hasty["found"], "of the longest ways the one that was measured"
    told = next(line for line in advice["told"] if line.startswith("run 1: "))
    assert told.endswith(f"{calls + PAGES + 3} calls between services"), "inventory for each page, and three of the app"
