"""What an orchestrated saga is: steps in order, and what undoes each of them. Pure data."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from shoal.errors import DeclarationError
from shoal.model.names import check_label

StepKind = Literal["compensatable", "pivot", "retriable"]
"""Undone when the saga fails later; the point of no return; done for certain once that is passed."""

ORDER: tuple[StepKind, ...] = ("compensatable", "pivot", "retriable")
"""The only order in which every saga either ends or is undone (Garcia-Molina and Salem 1987; Richardson 2018, 4.2)."""


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of a saga."""

    name: str
    kind: StepKind
    compensation: str = ""
    """Name of what undoes it; only a compensatable step has one."""
    timeout: float = 25.0
    """Seconds until one attempt, or one of its compensation, is cancelled."""
    attempts: int = 8
    """Attempts that may fail; waiting for something that is away is none."""
    backoff: float = 0.2
    """Seconds before the second attempt; doubles each time up to a minute, with jitter."""
    contained: bool = False
    """Whether all its effects lie in its transaction, so that a failed attempt has done nothing."""
    calls: tuple[str, ...] = ()
    """Operations of other services that the step may call, as ``service.operation``."""
    undo_calls: tuple[str, ...] = ()
    """Operations of other services that its compensation may call."""
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse a step that nothing undoes, and a compensation that nothing would ever run."""
        if self.kind == "compensatable" and not self.compensation:
            raise DeclarationError(
                f"step {self.name} has no compensation",
                hint="give it one: @step(compensate=...); or say that it needs none: @pivot() or @retriable()",
                where=self.source,
            )
        if self.kind != "compensatable" and self.compensation:
            raise DeclarationError(
                f"step {self.name} is {self.kind} and is never undone, but has the compensation {self.compensation}",
                hint="declare it with @step(compensate=...), or remove the compensation",
                where=self.source,
            )


class Saga(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of saga."""

    name: str
    steps: tuple[Step, ...]
    timeout: float = 86_400.0
    """Seconds until a saga that has not passed its point of no return is undone."""
    state: dict[str, Any] = {}
    """JSON Schema of what it knows; references point into the service's ``schemas``."""
    summary: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse a malformed name, no steps, and an order in which a saga could neither go on nor go back."""
        check_label("saga", self.name, where=self.source)
        if not self.steps:
            raise DeclarationError(
                f"saga {self.name} has no steps",
                hint="decorate its methods with @step(compensate=...), @pivot() or @retriable()",
                where=self.source,
            )
        if not 0 < self.timeout <= 366 * 86_400:
            raise DeclarationError(
                f"saga {self.name} has a timeout of {self.timeout!r} s",
                hint="use more than 0 s and at most a year",
                where=self.source,
            )
        names = [step.name for step in self.steps]
        if twice := [name for name in names if names.count(name) > 1]:
            raise DeclarationError(f"saga {self.name} has step {twice[0]} twice", hint="rename one", where=self.source)
        check_order(self.name, self.steps)

    def step(self, name: str) -> Step | None:
        """Find a step by name."""
        return next((step for step in self.steps if step.name == name), None)

    @property
    def pivot(self) -> Step | None:
        """The step after which the saga only goes on, if one is declared."""
        return next((step for step in self.steps if step.kind == "pivot"), None)


def check_order(saga: str, steps: Sequence[Step]) -> None:
    """Refuse, with its place, the first step that stands where it cannot: compensatable, one pivot, retriable."""
    reached, before = 0, ""
    for step in steps:
        rank = ORDER.index(step.kind)
        if step.kind == "pivot" and reached == rank:
            raise DeclarationError(
                f"saga {saga} has a second pivot, {step.name}, after {before}",
                hint="there is one point of no return: give one a compensation, or make the later one retriable",
                where=step.source,
            )
        if rank < reached:
            raise DeclarationError(
                f"saga {saga} has the {step.kind} step {step.name} after {before}, from where there is no way back",
                hint="first steps with a compensation, then at most one pivot, then retriable steps only",
                where=step.source,
            )
        if rank > reached or not before:
            before = f"the {step.kind} step {step.name}"
        reached = max(reached, rank)
