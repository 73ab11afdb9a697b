"""Actions in a real browser: one is noted while the page is looked at."""

from collections.abc import Callable

import pytest

from shoal.dashboard.store import actions, runs
from shoal.errors import ShoalError
from tests.dashboard.web.serving import Guarded, Serving

Visit = Callable[..., Guarded]


def act(serving: Serving, does: str, on: str, error: str = "") -> None:
    file = actions.place(runs.folder_of(serving.root))
    if error:
        with pytest.raises(ShoalError), actions.acting(file, "shell", does, on):
            raise ShoalError(error)
    else:
        with actions.acting(file, "page", does, on):
            pass


def test_actions_come_while_the_page_is_looked_at_and_are_filtered_in_the_address(
    serve: Callable[..., Serving], visit: Visit
) -> None:
    serving = serve()
    serving.record()
    page = visit(serving).open("/actions")
    page.wait_for_selector(".empty code:has-text('shoal fault add')")
    page.wait_for_selector("header .badge:has-text('live')")
    serving.until(lambda: serving.desk.hub.rounds > 0)
    act(serving, "stop process", "orders-0")
    page.wait_for_selector(".rows >> text=stop process")
    act(serving, "retry saga", "ord_7", "there is no saga ord_7")
    page.wait_for_selector(".rows >> text=there is no saga ord_7")
    page.check("label:has-text('refused or failed') input")
    page.wait_for_selector(".rows >> text=stop process", state="detached")
    assert "bad=1" in page.url
    page.fill("input[data-search]", "nobody")
    page.wait_for_selector(".empty")
    page.reload()
    page.wait_for_selector(".empty")
    assert "find=nobody" in page.url
