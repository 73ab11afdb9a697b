"""A second version is weighed, taken away and made the only one from its page."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shoal import files
from shoal.cli.commands.new import artifacts
from shoal.errors import HostError
from shoal.testing import LiveSystem
from shoal.testing.live import start_live
from tests.dashboard.web.owner import owner

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def hamlet() -> Iterator[LiveSystem]:
    """Run what `shoal new` makes."""
    with tempfile.TemporaryDirectory(prefix="sh-") as folder:
        files.write(Path(folder), artifacts("hamlet"))
        try:
            running = start_live(Path(folder), "hamlet.system:system", Path(folder))
        except HostError as error:
            pytest.skip(f"the real engines cannot run here: {error.message}")
        yield running
        running.stop()


def start(hamlet: LiveSystem) -> None:
    started = hamlet.run("canary", "start", "scores", "--code", str(hamlet.root), "--weight", "10", "--keep")
    assert started.returncode == 0, started.stderr


def test_a_second_version_is_weighed_taken_away_and_made_the_only_one(hamlet: LiveSystem, browser: Any) -> None:
    start(hamlet)
    with owner(hamlet, browser) as guarded:
        page: Any = guarded.open("/gateway?part=canaries")
        page.wait_for_selector("section[aria-label=scores] .badge:has-text('running')")
        page.fill("section[aria-label=scores] input[name=weight]", "40")
        page.click("button:has-text('Weigh')")
        page.wait_for_selector(".saying:has-text('Weight changed')")
        page.goto(f"{guarded.url}/service/scores")
        page.wait_for_selector("[aria-label=Versions] tr:has-text('canary')")
        page.goto(f"{guarded.url}/gateway?part=canaries")
        page.wait_for_selector("section[aria-label=scores]")
        assert page.input_value("section[aria-label=scores] input[name=weight]") == "40"
        page.click("button:has-text('Abort')")
        page.click("dialog button:has-text('Yes')")
        page.wait_for_selector("section[aria-label=scores] .badge:has-text('aborted')")
        start(hamlet)
        page.wait_for_selector("section[aria-label=scores] .badge:has-text('running')")
        page.click("button:has-text('Promote')")
        page.click("dialog button:has-text('Yes')")
        page.wait_for_selector("section[aria-label=scores] .badge:has-text('promoted')")
