"""What the shop asks of its gateway beyond routes: keys, a host, versions, printed links, a scanner, homes of keys."""

import asyncio
import datetime as dt
import itertools
import json
from collections.abc import Mapping
from email.utils import format_datetime
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from shoal.local.layout import layout_of
from shoal.mesh.layout import layout_for
from shoal.testing import LiveSystem
from shop.products.showing import DEPRECATED, SUNSET
from tests.live.shopping import sign_in, until
from tests.mesh.wire import ask

pytestmark = pytest.mark.live

SKU = "KIT-0110"
OFFERS = f"/partner/offers?sku={SKU}"


async def test_partners_call_with_keys_at_a_host_of_their_own(live: LiveSystem) -> None:
    made = await asyncio.to_thread(live.run, "keys", "create", "marketplace")
    key = {"x-api-key": made.stdout.strip()}
    partners = key | {"host": "partners.shop.example"}

    async def known() -> list[Mapping[str, object]] | None:
        answer = await live.get(OFFERS, headers=partners)
        assert answer.status in (200, 401)
        return answer.json() if answer.status == 200 else None

    offers = await until(known, within=20, what="gateway and service to learn the new key")
    assert [(offer["sku"], offer["currency"]) for offer in offers] == [(SKU, "EUR")]
    port = urlsplit(live.state.gateway).port
    for headers, status in (
        (key | {"host": f"partners.localhost:{port}"}, 200),
        (key, 404),
        ({"host": "partners.shop.example"}, 401),
        (partners | {"x-api-key": "shoal_guess"}, 401),
    ):
        assert (await live.get(OFFERS, headers=headers)).status == status, headers
    assert (await live.get("/orders", headers=key)).status == 403, "a key is nobody who is signed in"
    customer = await sign_in(live)
    assert (await live.get(OFFERS, token=customer.token, headers={"host": "partners.shop.example"})).status == 403


async def test_the_product_page_has_two_versions_of_which_the_old_one_says_when_it_ends(live: LiveSystem) -> None:
    old = await live.get(f"/products/{SKU}")
    assert old.headers["deprecation"] == f"@{int(_moment(DEPRECATED).timestamp())}"
    assert old.headers["sunset"] == format_datetime(_moment(SUNSET), usegmt=True)
    assert "api-version" in old.headers["vary"], "or caches would give it to those who ask for another"
    assert old.headers["link"] == f'</v2/products/{SKU}>; rel="successor-version"'
    by_path = await live.get(f"/v2/products/{SKU}")
    by_header = await live.get(f"/products/{SKU}", headers={"api-version": "2"})
    assert by_path.json() == by_header.json()
    assert not {"deprecation", "sunset"} & by_path.headers.keys()
    before = old.json()
    assert by_path.json()["price"] == {"amount": before["amount"], "currency": before["currency"]}
    assert (await live.get(f"/products/{SKU}", headers={"api-version": "9"})).status == 400


def _moment(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)


async def test_a_printed_link_shows_its_product_whatever_campaign_it_names(live: LiveSystem) -> None:
    shown, campaigns = (await live.get(f"/v2/products/{SKU}")).json(), itertools.count()

    async def kept() -> bool | None:
        answer = await live.get(f"/p/{SKU}?utm_source={next(campaigns)}", headers={"cookie": "of=the-old-shop"})
        assert (answer.json(), answer.headers["x-robots-tag"]) == (shown, "noindex")
        return "hit" in answer.headers["cache-status"] or None

    await until(kept, within=20, what="an answer to a campaign that was kept from another")
    assert (await live.get("/p/KIT-9999")).status == 404
    assert (await live.get(f"/products/{SKU}/printed")).status == 404


async def test_a_scanner_is_told_labels_in_one_conversation(live: LiveSystem) -> None:
    url = f"ws://127.0.0.1:{urlsplit(live.state.gateway).port}/scanner"
    with pytest.raises(InvalidStatus, match="401"):
        await connect(url, proxy=None)
    staff = {"authorization": f"Bearer {live.token('warehouse', roles=['admin'])}"}
    async with connect(url, additional_headers=staff, proxy=None, close_timeout=0.1) as scanner:
        readings = []
        for sku in (SKU, "NO-0000"):
            await scanner.send(json.dumps({"sku": sku}))
            readings.append(json.loads(await scanner.recv()))
    assert [reading["sku"] for reading in readings] == [SKU, "NO-0000"]
    assert [reading["label"] and reading["label"]["sku"] for reading in readings] == [SKU, None]


async def test_guesses_of_passwords_are_counted_by_all_gateways_together(live: LiveSystem) -> None:
    guess = await live.post("/sessions", json={"email": "nobody@example.com", "password": "guess"})
    assert (guess.status, guess.headers["ratelimit-policy"]) == (401, '"default";q=100;w=100')
    assert await _stats(live, "gateway") >= {("membership_total", "1")}, "the edge does not count the gateways"


async def test_products_have_homes_which_are_asked_whether_they_are_ready(live: LiveSystem) -> None:
    async def asked() -> dict[str, str] | None:
        stats = dict(await _stats(live, "products"))
        return stats if stats["health_check.healthy"] == "1" else None

    stats = await until(asked, within=30, what="the replica to say that it is ready")
    assert int(stats["health_check.success"]) > 0
    assert int(stats["maglev_lb.max_entries_per_host"]) > 0, "products are not kept together by a key"


async def _stats(live: LiveSystem, cluster: str) -> set[tuple[str, str]]:
    """Read what the proxy counted of a cluster."""
    place = layout_of(live.root)
    admin = layout_for(live.plan, root=str(place.mesh), sockets=str(place.sockets)).admin()
    answer = await ask(admin, f"GET /stats?filter=^cluster[.]{cluster}[.]")
    lines = answer.body.decode().replace(f"cluster.{cluster}.", "").splitlines()
    return {(name, value) for name, _, value in (line.partition(": ") for line in lines)}
