"""The lines around a place of the author's code, such as ``shop/orders/service.py:44``."""

import asyncio
import sys
import tokenize

import msgspec

from shoal import model
from shoal.dashboard.live.running import Live
from shoal.errors import Problem
from shoal.operating import project

BEFORE, AFTER = 4, 24
"""Lines that are shown before a place, and after it."""


class Excerpt(msgspec.Struct, frozen=True, kw_only=True):
    """Some lines of a file."""

    path: str
    line: int
    """The one that is meant."""
    first: int
    """Number of the first that is shown."""
    lines: list[str]


async def excerpt(live: Live, place: str) -> Excerpt:
    """Read the lines around a place, which must be in a module that the declaration of the system has imported.

    Raises:
        Problem: It is no such place (404).
    """
    path, _, number = place.rpartition(":")
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    loaded = sys.modules.get(module) if module.partition(".")[0] in _own(live, await live.system()) else None
    file = getattr(loaded, "__file__", None)
    if file is None or not path.endswith(".py") or not number.isdecimal():
        raise _absent(place)
    try:
        text = await asyncio.to_thread(_read, file)
    except (OSError, SyntaxError) as error:
        raise _absent(place) from error
    line = min(max(1, int(number)), max(1, len(text)))
    first = max(1, line - BEFORE)
    return Excerpt(path=path, line=line, first=first, lines=text[first - 1 : line + AFTER])


def _own(live: Live, system: model.System) -> set[str]:
    """Name the packages that are the author's."""
    modules = (project.entry(live.where), *(service.entry for service in system.services))
    return {module.partition(":")[0].partition(".")[0] for module in modules}


def _read(file: str) -> list[str]:
    with tokenize.open(file) as opened:  # in the encoding that Python reads it in
        return opened.read().splitlines()


def _absent(place: str) -> Problem:
    hint = "a place as the pages show it, such as shop/orders/service.py:44, in a module of this system"
    return Problem(404, "no-code", f"there is no code of this system at {place!r}", extra={"hint": hint})
