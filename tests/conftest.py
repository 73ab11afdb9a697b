"""What a large run does otherwise: long work in the background, tests in another order, over three processes."""

import os
import signal
from collections.abc import Generator, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, settings
from xdist.workermanage import NodeManager

from tests import asked_again, background, engines_told
from tests.sharing_out import ENGINES_IN, SHARED, Sharing, shares

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # how long an example takes says more about the machine than about the code

FILLING = 5
"""By how much its priority is lower."""

MANY = 300
"""Tests of a run from which on it is large."""

WORKS = {
    "test_the_shop_recovers_from_every_action_at_every_point": ("tests.failpoints.points", "hunt"),
    "test_everything_holds_under_every_seed": ("tests.simulation.seeds", "thousand"),
}
"""By the name of the test that asks for its result: where it is."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files that wait for engines first, and those that wait for the long work last; each stays in one piece."""
    if len(items) >= MANY:
        asking = {item.path for item in items if item.name in WORKS}
        live = {item.path for item in items if item.get_closest_marker("live")}
        items.sort(key=lambda item: (item.path in asking, not shares(item.path), item.path not in live))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Share the files out."""
    NodeManager.EXIT_TIMEOUT = 60  # seconds for what a process has to stop after Ctrl-C
    return Sharing(config, log, frozenset(WORKS))


def pytest_configure() -> None:
    """Let who only fills the time give way to those who start engines."""
    if os.environ.get("PYTEST_XDIST_WORKER", ENGINES_IN[0]) not in ENGINES_IN:
        os.nice(FILLING)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say which engines a run has asked, and which not."""
    lines = [*engines_told.told(terminalreporter.stats)]
    if lines:
        terminalreporter.section("engines", sep="-")
    for line in lines:
        terminalreporter.line(line)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Iterator[None]:
    """Ask the few that failed in several processes again, alone, after everything is said and stopped."""
    yield
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus != pytest.ExitCode.TESTS_FAILED or not session.config.pluginmanager.has_plugin("dsession"):
        return
    failed = asked_again.failures(reporter.stats)
    if 0 < len(failed) <= asked_again.FEW:
        reporter.section("asked again, alone")
        reporter.flush()
        if asked_again.passes_alone(session.config, failed):
            session.exitstatus = pytest.ExitCode.OK
            reporter.line(f"Passed alone, failed among others: {', '.join(failed)}", yellow=True)


def pytest_keyboard_interrupt() -> None:
    """Let a process that shares the tests stop its engines undisturbed: it is interrupted by us and by the terminal."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, object, object]:
    """Escape what a test printed and UTF-8 cannot say: it goes from one process to another."""
    return _sayable((yield))


def _sayable(node: object) -> object:
    if isinstance(node, str):
        return node.encode("utf-8", "backslashreplace").decode()
    if isinstance(node, dict):
        return {key: _sayable(value) for key, value in node.items()}
    return type(node)(map(_sayable, node)) if isinstance(node, (list, tuple)) else node


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Stop the shared shop when the last file that has it is over."""
    yield
    if isinstance(item, pytest.Function) and shares(item.path) and not (nextitem and shares(nextitem.path)):
        for fixture in item._fixtureinfo.name2fixturedefs.get(SHARED, ()):
            fixture.finish(cast("Any", item._request))


@pytest.fixture(scope="session", autouse=True)
def _long_work(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    session = request.session
    there = {item.name for item in session.items} if len(session.items) >= MANY else set()
    works = {name: getattr(import_module(module), work) for name, (module, work) in WORKS.items() if name in there}
    if not works:
        yield
        return
    thread = background.begin(works, _common(tmp_path_factory))
    yield
    if not (session.shouldstop or session.shouldfail or session.exitstatus == pytest.ExitCode.INTERRUPTED):
        thread.join()


def _common(temporary: pytest.TempPathFactory) -> Path:
    """Return the folder that all processes of this run have in common."""
    own = temporary.getbasetemp()
    return own.parent if own.name.startswith("popen-") else own
