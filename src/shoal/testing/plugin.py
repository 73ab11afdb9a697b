"""The pytest plugin: fixtures that run a whole system.

``system``
    The system in this process, on the reference drivers, new for each test.
``live``
    The system on its real engines, as ``shoal run`` starts it, once per session; skipped where they are missing.
    ``--engine NAME=ENGINE`` chooses another one, as it does for ``shoal run``.

A project's ``conftest.py`` may override three smaller fixtures: ``system_declaration`` (by default ``[tool.shoal]
system`` of ``pyproject.toml``), ``system_overrides`` (values by type, in place of provided ones) and
``system_environ`` (variables for the services' settings).
"""

import sys
import tomllib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from shoal.errors import HostError
from shoal.model.choice import OPTION
from shoal.runtime.load import load
from shoal.service.system import System
from shoal.testing.live import LiveSystem, start_live
from shoal.testing.memory import MemorySystem


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take other engines for the fixture ``live``."""
    words = "run the fixture `live` on another engine: broker=..., SERVICE.store=...; can be repeated"
    parser.getgroup("shoal").addoption(OPTION, action="append", default=[], metavar="NAME=ENGINE", help=words)


@pytest.fixture(scope="session")
def system_entry(pytestconfig: pytest.Config) -> str:
    """Name the system's declaration as ``package.module:attribute``."""
    project = pytestconfig.rootpath / "pyproject.toml"
    settings = tomllib.loads(project.read_text()) if project.exists() else {}
    return str(settings.get("tool", {}).get("shoal", {}).get("system", "system:system"))


@pytest.fixture(scope="session")
def system_declaration(system_entry: str, pytestconfig: pytest.Config) -> System:
    """Load the system under test, from the project's folder, as ``shoal`` does."""
    if str(pytestconfig.rootpath) not in sys.path:
        sys.path.insert(0, str(pytestconfig.rootpath))
    return load(system_entry, System)


@pytest.fixture
def system_overrides() -> dict[Any, Any]:
    """Offer values in place of provided ones, by type; their providers are not called."""
    return {}


@pytest.fixture
def system_environ() -> dict[str, str]:
    """Offer variables for the services' settings."""
    return {}


@pytest_asyncio.fixture
async def system(
    system_declaration: System,
    system_overrides: dict[Any, Any],
    system_environ: dict[str, str],
    tmp_path: Path,
) -> AsyncIterator[MemorySystem]:
    """Run the whole system in this process, on the reference drivers."""
    running = MemorySystem(system_declaration, tmp_path, overrides=system_overrides, environ=system_environ)
    try:
        await running.start()
        yield running
    finally:
        await running.stop()


@pytest.fixture(scope="session")
def live(
    system_entry: str, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveSystem]:
    """Run the whole system on its real engines."""
    try:
        chosen = [word for text in pytestconfig.getoption("engine") for word in (OPTION, text)]
        running = start_live(pytestconfig.rootpath, system_entry, tmp_path_factory.mktemp("live"), *chosen)
    except HostError as error:
        pytest.skip(f"the real engines cannot run here: {error.message}")
    try:
        yield running
    finally:
        running.stop()
