"""What a bill asks of a cloud: its settings, its resources, and what they are billed for. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from shoal.cost.cluster import Cluster
from shoal.cost.estimate import Item
from shoal.cost.month import Month
from shoal.model.plan import Plan
from shoal.model.system import System

SECOND = "(second region)"
"""Whose the items of a second region are said to be."""


class Place(Protocol):
    """Settings of one environment, as far as a bill reads them."""

    @property
    def name(self) -> str:
        """Such as ``production``."""

    @property
    def region(self) -> str:
        """Where it runs, as the cloud spells it; names the table of prices."""


E = TypeVar("E", bound=Place)
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True, slots=True)
class Other(Generic[R]):
    """The same system, had otherwise: advice, when it is cheaper."""

    advice: str
    """The setting, as people write it: ``run on ARM: architecture = 'ARM64'``."""
    resources: tuple[R, ...]
    """What would be deployed."""
    but: str
    """What one gives up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cloud(Generic[E, R]):
    """One cloud: from a system and its settings to resources, and from these to items of a bill."""

    name: str
    """As ``--target`` takes it, and as files of ``tables/`` begin: ``aws``."""
    title: str
    """As people write it."""
    environments: tuple[E, ...]
    """What is meant when nobody says anything else; the last one is priced."""
    read: Callable[..., E]
    """Reads settings of an environment from TOML: ``read(text, where=...)``."""
    plan: Callable[[System, E], Plan]
    resources: Callable[[Plan, E], tuple[R, ...]]
    """Everything that `shoal deploy` writes, from a plan."""
    items: Callable[[Iterable[R], Month], tuple[Item, ...]]
    """What a month of resources is billed for."""
    others: Callable[[tuple[R, ...]], Iterable[Other[R]]]
    """What could be otherwise."""
    fitted: Callable[[tuple[R, ...], Month], tuple[R, ...]] | None = None
    """Workloads no larger than a run measured, where one did; None where nobody has described sizes."""
    base: type
    """What every kind of its resources is: each of them is billed, free or open, which a test sees to."""
    billed: frozenset[type]
    free: frozenset[type] = frozenset()
    """Kinds that cost nothing by themselves, or whose use is counted elsewhere."""
    open: frozenset[type] = frozenset()
    """Kinds whose price depends on what nobody has said."""
    cluster: Cluster | None = None
    """Its Kubernetes, for comparison; None where nobody has described it."""
    serverless: Mapping[str, object] = field(default_factory=dict)
    """Settings under which services run without machines of their own, for comparison."""
