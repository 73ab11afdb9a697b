"""The pictures of the tour: they are there, small, and of pages that can be opened.

``SHOAL_UPDATE_GOLDEN=1`` takes them again.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.dashboard.web.declared import declare
from tests.dashboard.web.declared import shop as declared_shop
from tests.dashboard.web.serving import Guarded, Serving

Visit = Callable[..., Guarded]
Shop = tuple[Serving, dict[str, str]]

DOCS = Path(__file__).parents[3] / "docs"
PICTURES, PAGE = DOCS / "pictures", DOCS / "how-to" / "dashboard.md"
LARGEST = 140_000


def _map(page: Any, _: dict[str, str]) -> None:
    page.wait_for_selector(".graph svg .node")


def _traces(page: Any, _: dict[str, str]) -> None:
    page.wait_for_selector(".dot")
    place = page.query_selector(".scatter").bounding_box()
    page.mouse.move(place["x"] + 70, place["y"] + 2)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] - 4, place["y"] + 40, steps=4)
    page.mouse.up()
    page.wait_for_selector(".features li")


def _rows(page: Any, _: dict[str, str]) -> None:
    page.wait_for_selector(".rows > .row")


SCENES: dict[str, tuple[str, Callable[[Any, dict[str, str]], None]]] = {
    "map": ("/map", _map),
    "traces": ("/traces?operation=POST /orders", _traces),
    "trace": ("/traces/{slow}", _rows),
    "logs": ("/logs", _rows),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_picture_of_each_page_is_there(shop: Shop, visit: Visit, name: str) -> None:
    declare(shop[0], declared_shop())
    path, settle = SCENES[name]
    page = visit(shop[0], viewport={"width": 1200, "height": 560}).open(path.format(**shop[1]))
    settle(page, shop[1])
    file = PICTURES / f"{name}.png"
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        PICTURES.mkdir(exist_ok=True)
        file.write_bytes(page.screenshot(animations="disabled"))
    assert file.read_bytes()[:4] == b"\x89PNG"
    assert file.stat().st_size < LARGEST


def test_the_tour_shows_these_pictures_and_no_others() -> None:
    shown = set(re.findall(r"\.\./pictures/(\w+)\.png", PAGE.read_text("utf-8")))
    assert shown == set(SCENES) <= {file.stem for file in PICTURES.iterdir()}
