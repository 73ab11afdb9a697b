"""Begins the long work of a large run."""

from importlib import import_module

import pytest

from tests import background

WORKS = {
    "test_the_shop_recovers_from_every_action_at_every_point": ("tests.failpoints.points", "hunt"),
    "test_everything_holds_under_every_seed": ("tests.simulation.seeds", "thousand"),
}
"""By the name of the test that asks for its result: where it is."""


def pytest_collection_finish(session: pytest.Session) -> None:
    if len(session.items) >= background.MANY and not session.config.option.collectonly:
        there = {item.name for item in session.items}
        found = {name: place for name, place in WORKS.items() if name in there}
        background.begin({name: getattr(import_module(module), work) for name, (module, work) in found.items()})
