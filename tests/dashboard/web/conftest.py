"""A server over a prepared project, and a browser that is skipped by name where there is none."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from shoal.dashboard.server.gate import Gate
from tests.dashboard.web.serving import TOKEN, Guarded, Serving
from tests.dashboard.web.told import Told, morning

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Serving]]:
    """Serve projects until the module's tests are done."""
    running: list[Serving] = []

    def start(root: Path | None = None, **desk: Any) -> Serving:
        running.append(Serving(root or tmp_path_factory.mktemp("project"), **desk).start())
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture(scope="module")
def empty(serve: Callable[..., Serving]) -> Serving:
    """Serve a project in which nothing ever ran."""
    return serve()


@pytest.fixture(scope="module")
def shop(serve: Callable[..., Serving]) -> tuple[Serving, dict[str, str]]:
    """Serve a project with a run, and name the traces that are special in it."""
    serving, told = serve(), Told()
    special = morning(told)
    serving.tell(told)
    return serving, special


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start the Chromium of this machine; its tests are skipped, by name, where there is none."""
    program = next(filter(None, map(shutil.which, _CHROMIUM)), None)
    if program is None:
        pytest.skip("there is no Chromium on this machine (Debian: apt install chromium)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as tool:
        started = tool.chromium.launch(executable_path=program, args=_ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def contexts(browser: Any) -> Iterator[dict[str, Any]]:
    """Keep a context for each server and set of options: what it has loaded once it need not load again."""
    known: dict[str, Any] = {}
    yield known
    for context in known.values():
        context.close()


@pytest.fixture
def visit(browser: Any, contexts: dict[str, Any]) -> Iterator[Callable[..., Guarded]]:
    """Open pages as the owner who came with the link; afterwards nothing may have gone wrong in them."""
    opened: list[Guarded] = []

    def come(to: Serving, expected: tuple[str, ...] = (), **options: Any) -> Guarded:
        context = contexts.get(key := f"{to.url} {options}")
        if context is None:
            context = contexts[key] = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
            context.set_default_timeout(20_000)
            given = Gate(TOKEN).cookie({"host": urlsplit(to.url).netloc})
            name, _, value = given.partition(";")[0].partition("=")
            context.add_cookies([{"name": name, "value": value, "url": to.url}])
        guarded = Guarded(page=context.new_page(), url=to.url, expected=expected)
        guarded.watch()
        opened.append(guarded)
        return guarded

    yield come
    for guarded in opened:
        if guarded.page.url.startswith(guarded.url):
            guarded.page.evaluate("localStorage.clear()")  # the next test begins as a stranger to it
        guarded.page.close()
    assert [trouble for guarded in opened for trouble in guarded.troubles] == []
