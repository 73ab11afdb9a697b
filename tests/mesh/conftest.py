"""Meshes for the live tests."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.mesh.samples import TINY
from tests.mesh.wire import App
from tests.mesh.world import World, everyone, running


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """Run the mesh of `TINY`, without applications."""
    async with running(TINY) as started:
        yield started


@pytest.fixture
async def apps(world: World) -> AsyncIterator[dict[str, App]]:
    """Run one application for each service of `TINY`."""
    async with everyone(world) as started:
        yield started


@pytest.fixture
def short() -> Iterator[Path]:
    """Make a directory whose name leaves room for sockets; pytest's own are too long for that."""
    with tempfile.TemporaryDirectory(prefix="mesh") as folder:
        yield Path(folder)
