"""The page about brokers is what the catalog says; ``SHOAL_UPDATE_GOLDEN=1`` writes it anew."""

import os
from pathlib import Path

from shoal.model import catalog
from shoal.model.engine_page import INSTEAD, page

PAGE = Path(__file__).parents[2] / "docs/reference/brokers.md"


def test_the_page_is_what_the_catalog_says() -> None:
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        PAGE.write_text(page(), "utf-8")
    assert PAGE.read_text("utf-8") == page()


def test_what_a_broker_lacks_is_said_and_what_it_lacks_here_is_its_own() -> None:
    for row in catalog.ENGINES:
        assert row.lacking_here <= row.capabilities
        assert row.capabilities <= catalog.CAPABILITIES.keys()
        assert row.kind != "broker" or row.capabilities <= INSTEAD.keys()
