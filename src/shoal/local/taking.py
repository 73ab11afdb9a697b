"""Whether a running Envoy takes the files that are written for it, or refuses them."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from shoal.local import admin
from shoal.local.probe import until
from shoal.mesh.bootstrap import CLUSTERS, LISTENERS

WITHIN = 10.0
"""Seconds that Envoy may take to look at a file."""

_PATTERN = r"(^listener_manager\.lds|^cluster_manager\.cds|\.rds\..*)\.update_(success|rejected)$"
_WORDS = {"lds": "listeners", "cds": "clusters", "rds": "routes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What one Envoy has taken and refused before files are replaced. Make it with `before`, then ask `refused`."""

    name: str
    place: Path
    changing: tuple[str, ...]
    """Subscriptions whose files are about to be replaced."""
    counts: Mapping[str, int]

    async def refused(self) -> tuple[str, ...]:
        """Say of each replaced file that Envoy has refused, or not looked at in time, for people."""
        if not self.changing:
            return ()
        now: dict[str, int] = {}

        async def looked() -> bool | None:
            nonlocal now
            now = await updates(self.place)
            return all(_looks(now, each) != _looks(self.counts, each) for each in self.changing) or None

        try:
            async with asyncio.timeout(WITHIN):
                await until(looked)
        except TimeoutError:
            return (f"{self.name} does not look at it",)
        rejected = [each for each in self.changing if _rejected(now, each) > _rejected(self.counts, each)]
        return tuple(f"{self.name} refuses the {_shown(each)}" for each in rejected)


async def before(name: str, place: Path, paths: Iterable[str]) -> Taking:
    """Note how an Envoy stands before the files at `paths` are replaced; one that is away reads them at its start."""
    found = [_subscription(path) for path in paths]
    try:
        counts = await updates(place)
    except (OSError, EOFError):
        return Taking(name=name, place=place, changing=(), counts={})
    return Taking(name=name, place=place, changing=tuple(each for each in found if each), counts=counts)


async def updates(place: Path) -> dict[str, int]:
    """Count what was taken and refused of listeners (``lds``), clusters (``cds``) and routes (``rds.NAME``)."""
    found = await admin.counters(place, _PATTERN)
    return {_short(name): count for name, count in found.items()}


def _short(name: str) -> str:
    """Leave out whose subscription it is: ``http.edge.rds.edge.update_success`` is ``rds.edge.update_success``."""
    head, found, tail = name.partition(".rds.")
    return f"rds.{tail}" if found else head.partition(".")[2]


def _subscription(path: str) -> str:
    if path in (LISTENERS, CLUSTERS):
        return PurePosixPath(path).parts[0]
    return f"rds.{PurePosixPath(path).stem}" if path.startswith("rds/") else ""


def _looks(counts: Mapping[str, int], subscription: str) -> tuple[int, int]:
    return counts.get(f"{subscription}.update_success", 0), _rejected(counts, subscription)


def _rejected(counts: Mapping[str, int], subscription: str) -> int:
    return counts.get(f"{subscription}.update_rejected", 0)


def _shown(subscription: str) -> str:
    kind, _, name = subscription.partition(".")
    return f"{_WORDS[kind]} of {name}" if name else _WORDS[kind]
