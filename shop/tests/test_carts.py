"""Carts and visits: kept for a week, together with nobody else."""

import asyncio

from shoal.testing import MemorySystem, Response
from shop.tests.people import Customer
from shop.web.carts import MOST
from shop.web.visits import FIRST

SKU, OTHER = "KIT-0110", "KIT-0120"
WEEK = 7 * 86_400


def cookie(answer: Response) -> dict[str, str]:
    return {"cookie": f"theme=dark; {answer.headers['set-cookie'].partition(';')[0]}"}


async def test_a_visitor_finds_his_cart_again_at_today_s_prices(system: MemorySystem) -> None:
    first = await system.put(f"/web/cart/{SKU}", json={"quantity": 2})
    assert first.json() == {"pieces": {SKU: 2}}
    for word in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/web"):
        assert word in first.headers["set-cookie"]
    visit = cookie(first)
    await system.put("/web/cart/NOTHING", json={"quantity": 1}, headers=visit)
    shown = (await system.get("/web/cart", headers=visit)).json()
    (line,) = shown["lines"]
    assert (line["price"]["sku"], line["quantity"], shown["gone"]) == (SKU, 2, ["NOTHING"])
    assert shown["total"] == 2 * line["price"]["amount"]
    await system.put(f"/web/cart/{SKU}", json={"quantity": 0}, headers=visit)
    assert (await system.get("/web/cart", headers=visit)).json()["lines"] == []


async def test_carts_are_nobody_else_s_and_end(system: MemorySystem) -> None:
    visit = cookie(await system.put(f"/web/cart/{SKU}", json={}))
    empty = {"lines": [], "gone": [], "total": 0}
    for headers in ({}, {"cookie": "visit=guessed"}, {"cookie": "visit"}, {"cookie": 'visit="\\'}):
        assert (await system.get("/web/cart", headers=headers)).json() == empty
    system.clock.advance(FIRST - 60)
    assert (await system.put(f"/web/cart/{OTHER}", json={}, headers=visit)).json() == {"pieces": {SKU: 1, OTHER: 1}}
    for _ in range(2):  # who looks keeps the cart, and the cookie
        system.clock.advance(WEEK - 60)
        shown = await system.get("/web/cart", headers=visit)
        assert len(shown.json()["lines"]) == 2
        assert f"Max-Age={WEEK}" in shown.headers["set-cookie"]
        assert cookie(shown) == visit
    system.clock.advance(WEEK + 60)
    assert (await system.get("/web/cart", headers=visit)).json() == empty


async def test_a_visit_that_never_came_back_is_soon_forgotten(system: MemorySystem) -> None:
    first = await system.put(f"/web/cart/{SKU}", json={})
    assert f"Max-Age={FIRST}" in first.headers["set-cookie"]
    system.clock.advance(FIRST + 60)
    assert (await system.get("/web/cart", headers=cookie(first))).json()["lines"] == []


async def test_a_visit_is_found_among_whatever_cookies_others_set(system: MemorySystem) -> None:
    visit = cookie(await system.put(f"/web/cart/{SKU}", json={}))["cookie"].removeprefix("theme=dark; ")
    for cookies in (f'consent={{"a":[1,"b"]}}; {visit}', f"revisit=1;{visit}; a b=c", f"bare; {visit}; visit=second"):
        assert len((await system.get("/web/cart", headers={"cookie": cookies})).json()["lines"]) == 1, cookies
    assert (await system.get("/web/cart", headers={"cookie": f"my{visit}"})).json()["lines"] == []


async def test_the_next_customer_at_a_browser_does_not_get_the_cart_of_the_last(
    system: MemorySystem, ada: Customer, bob: Customer
) -> None:
    visit = cookie(await system.put(f"/web/cart/{SKU}", json={}))
    for customer, lines in ((ada, 1), (ada, 1), (bob, 0)):
        visit = cookie(await system.post("/web/visit", token=customer.token, headers=visit))
        assert len((await system.get("/web/cart", headers=visit)).json()["lines"]) == lines
    system.clock.advance(FIRST + 60)
    assert (await system.put(f"/web/cart/{SKU}", json={}, headers=visit)).json() == {"pieces": {SKU: 1}}


async def test_wishes_at_the_same_time_all_count_up_to_a_bound(system: MemorySystem) -> None:
    visit = cookie(await system.put("/web/cart/P-0", json={}))
    asked = [system.put(f"/web/cart/P-{number}", json={}, headers=visit) for number in range(1, MOST)]
    assert {answer.status for answer in await asyncio.gather(*asked)} == {200}
    assert len((await system.get("/web/cart", headers=visit)).json()["gone"]) == MOST
    assert (await system.put("/web/cart/P-more", json={}, headers=visit)).status == 409


async def test_who_signs_in_keeps_the_cart_and_gets_another_id(system: MemorySystem, ada: Customer) -> None:
    before = cookie(await system.put(f"/web/cart/{SKU}", json={}))
    assert (await system.post("/web/visit", headers=before)).status == 401
    answer = await system.post("/web/visit", token=ada.token, headers=before)
    assert answer.status == 204
    after = cookie(answer)
    assert after != before
    assert len((await system.get("/web/cart", headers=after)).json()["lines"]) == 1
    assert (await system.get("/web/cart", headers=before)).json()["lines"] == [], "the id of before is void"
    left = await system.delete("/web/visit", headers=after)
    assert "Max-Age=0" in left.headers["set-cookie"]
    assert (await system.get("/web/cart", headers=after)).json()["lines"] == []
