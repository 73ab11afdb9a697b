"""The pages about the system itself where there is none, and where there is one that does not run."""

from collections.abc import Callable

import pytest

from tests.dashboard.web.serving import Guarded, Serving

Visit = Callable[..., Guarded]

EMPTY = {
    "/map": "shoal new demo",
    "/service": "shoal new demo",
    "/events": "shoal describe --flow",
    "/sagas": "shoal describe",
    "/api": "shoal describe",
    "/data": "shoal describe",
    "/gateway": "shoal describe",
    "/mail": "shoal run",
    "/metrics": "shoal run",
}


@pytest.mark.parametrize("path", EMPTY)
def test_an_empty_page_says_the_command_that_fills_it(empty: Serving, visit: Visit, path: str) -> None:
    page = visit(empty).open(path)
    page.wait_for_selector(".empty")
    assert EMPTY[path] in page.inner_text(".empty")
