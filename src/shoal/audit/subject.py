"""What an audit reads: a plan, and the engines and logs of one system that follows it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shoal.drivers.base import BrokerAdmin, Store
from shoal.model.plan import Plan
from shoal.service.audit import Operation
from shoal.service.system import System

Ask = Callable[[str], Awaitable[Any]]
"""Reads JSON at a path of an external's stand-in."""

Letter = tuple[str, str]
"""A dead letter: the service that gave up, and the id of the message."""

WINDOW = timedelta(days=2)
"""How far back events are followed: shorter than anything keeps them, so that nothing is missed that was let go of."""


def _silent(_: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text that was written by the system, such as a log."""

    name: str
    lines: Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One system under audit, its stores open."""

    declared: System
    plan: Plan
    now: Callable[[], datetime]
    """The present, by the clock that the system's services use."""
    stores: Mapping[str, Store] = field(default_factory=dict)
    """By service, each as the service sees it: with what is personal unsealed."""
    sealed: Mapping[str, str] = field(default_factory=dict)
    """Why what is personal stays sealed, by service; its store is as it is."""
    broker: BrokerAdmin | None = None
    texts: tuple[Text, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Name → value that nobody may ever read."""
    externals: Mapping[str, Ask] = field(default_factory=dict)
    operations: tuple[Operation, ...] = ()
    """What clients say they did."""
    expected: frozenset[Letter] = frozenset()
    """The dead letters that there should be."""
    window: timedelta = WINDOW
    progress: Callable[[str], None] = _silent
