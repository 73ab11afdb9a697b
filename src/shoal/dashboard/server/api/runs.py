"""The recorded runs of the project: listed, compared, handed on."""

import asyncio
import tempfile
from pathlib import Path

from shoal.dashboard.server.desk import Desk
from shoal.dashboard.server.exchange import Asked, Download, Route
from shoal.dashboard.store import portable, runs
from shoal.dashboard.store.diff import Diff, diff
from shoal.errors import HostError, Problem


class Pair(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two runs."""

    before: int
    after: int


class Numbered(Asked, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run."""

    number: int


async def listed(desk: Desk, _: Asked) -> object:
    """List the recorded runs, newest first."""
    return await asyncio.to_thread(desk.library.runs)


async def compared(desk: Desk, asked: Pair) -> Diff:
    """Compare two runs, operation by operation."""

    def compare() -> Diff:
        return diff(desk.library.reader(asked.before), desk.library.reader(asked.after))

    return await asyncio.to_thread(compare)


async def exported(desk: Desk, asked: Numbered) -> Download:
    """Give a run as one compressed file, which `shoal runs import` takes in.

    Raises:
        Problem: There is no such run (404).
    """
    body = await asyncio.to_thread(_packed, runs.folder_of(desk.root), asked.number)
    return Download(name=f"run-{asked.number}.shoal", type="application/octet-stream", body=body)


def _packed(folder: Path, number: int) -> bytes:
    try:
        file = runs.find(folder, number)
    except HostError as error:
        raise Problem(404, "no-run", error.message, extra={"hint": error.hint}) from error
    with tempfile.TemporaryDirectory(dir=folder) as place:
        target = Path(place) / "run.shoal"
        portable.export(file, target)
        return target.read_bytes()


ROUTES = (
    Route(method="GET", path="/api/runs", asked=Asked, answer=listed),
    Route(method="GET", path="/api/runs/diff", asked=Pair, answer=compared),
    Route(method="GET", path="/api/runs/{number}/export", asked=Numbered, answer=exported),
)
