"""Deprecated versions say so, ended ones are gone, at the moment that was declared."""

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from shoal import Problem, Service, System, anyone
from shoal.errors import DeclarationError
from shoal.model.openapi import openapi
from shoal.model.plan import plan
from shoal.model.target import MEMORY
from shoal.service.describe import describe, describe_service
from shoal.testing import MemorySystem

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
BEGAN, ENDS = NOW - dt.timedelta(days=30), NOW + dt.timedelta(days=1)

shop = Service("shop")


class Item(msgspec.Struct):
    sku: str
    title: str = ""


@shop.get("/items/{sku}", version=1, access=anyone, deprecated=BEGAN, sunset=ENDS)
async def show_v1(sku: str) -> str:
    """Show an item, as it used to be."""
    if sku == "none":
        raise Problem(404, "not-found")
    return sku


@shop.get("/items/{sku}", version=2, access=anyone)
async def show_v2(sku: str) -> Item:
    """Show an item."""
    return Item(sku)


@shop.get("/old", access=anyone, deprecated=dt.date(2020, 1, 1), sunset=dt.date(2021, 1, 1))
async def old() -> str:
    """Answer nobody any more."""
    return "old"


SYSTEM = System("versions", services=[shop])


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[MemorySystem]:
    started = MemorySystem(SYSTEM, tmp_path)
    await started.start()
    yield started
    await started.stop()


async def test_a_deprecated_version_says_so_on_every_answer(running: MemorySystem) -> None:
    for path, status in (("/v1/items/7", 200), ("/items/7", 200), ("/v1/items/none", 404)):
        answer = await running.get(path)
        assert answer.status == status
        assert answer.headers["deprecation"] == f"@{int(BEGAN.timestamp())}"
        assert answer.headers["sunset"] == f"{ENDS:%a, %d %b %Y %H:%M:%S GMT}"
        assert answer.headers["link"] == f'</v2/items/{path.rpartition("/")[2]}>; rel="successor-version"'


async def test_the_others_say_nothing(running: MemorySystem) -> None:
    answer = await running.get("/items/7", headers={"API-Version": "2"})
    assert answer.json() == {"sku": "7", "title": ""}
    assert not {"deprecation", "sunset", "link"} & set(answer.headers)


async def test_it_ends_at_its_moment(running: MemorySystem) -> None:
    assert (await running.get("/v1/items/7")).status == 200
    running.clock.advance(dt.timedelta(days=1, seconds=1))
    for path in ("/v1/items/7", "/items/7"):
        answer = await running.get(path)
        assert (answer.status, answer.json()["type"]) == (410, "urn:shoal:problem:gone")
        assert "/v2/items/{sku}" in answer.json()["detail"]
        assert answer.headers["link"] == '</v2/items/7>; rel="successor-version"'
    assert (await running.get("/v2/items/7")).status == 200


async def test_a_day_is_its_beginning_in_utc(running: MemorySystem) -> None:
    answer = await running.get("/old")
    assert (answer.status, answer.headers["sunset"]) == (410, "Fri, 01 Jan 2021 00:00:00 GMT")
    assert answer.headers["deprecation"] == "@1577836800"


async def test_an_unknown_version_is_refused(running: MemorySystem) -> None:
    assert (await running.get("/items/7", headers={"API-Version": "9"})).status == 400


def test_the_document_marks_it() -> None:
    paths = openapi(describe_service(shop))["paths"]
    assert paths["/v1/items/{sku}"]["get"]["deprecated"] is True
    assert paths["/v1/items/{sku}"]["get"]["x-sunset"] == ENDS.isoformat()
    assert "deprecated" not in paths["/v2/items/{sku}"]["get"]


def test_an_end_before_its_announcement_is_refused() -> None:
    with pytest.raises(DeclarationError, match="before it is deprecated"):
        Service("x").get("/x", deprecated=dt.date(2030, 1, 2), sunset=dt.date(2030, 1, 1))(show_v2)


def test_one_operation_has_its_versions_in_one_service() -> None:
    other = Service("other")
    other.get("/items/{sku}", version=3, access=anyone)(show_v2)
    globals()["other"] = other
    with pytest.raises(DeclarationError, match="versions in shop and other"):
        plan(describe(System("apart", services=[shop, other])), MEMORY)
