"""Calls to other services, attempt by attempt, and what is left of the budget for repeats."""

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Protocol, TypeVar

from shoal.errors import CallFailed
from shoal.runtime.metrics.registry import Metrics, Series
from shoal.runtime.retries import RetryBudget
from shoal.service.marks import Operation
from shoal.telemetry.measures import Attributes, Point


class Answered(Protocol):
    """What came back."""

    @property
    def status(self) -> int:
        """Its HTTP status."""
        ...


T = TypeVar("T", bound=Answered)


class Attempts(Series):
    """Attempts to call one operation, by the status of the answer, or by why there was none."""

    __slots__ = ()

    def _said(self, outcome: str) -> Attributes:
        if not outcome.isdigit():
            return (("error.type", outcome),)
        said = (("http.response.status_code", int(outcome)),)
        return (*said, ("error.type", outcome)) if outcome >= "400" else said


def attempts(metrics: Metrics, operation: Operation, budget: RetryBudget) -> Attempts:
    """Make what counts the attempts of a client, and let the metrics tell of them and of its budget."""
    name = f"{operation.service}.{operation.name}"
    made = Attempts(
        (
            ("http.request.method", operation.method),
            ("url.template", operation.path),
            ("server.address", operation.service),
            ("shoal.operation", name),
        )
    )
    said = (("shoal.operation", name),)
    metrics.watch("http.client.request.duration", made.points)
    metrics.watch("shoal.call.retries", lambda: (Point(said, budget.spent),))
    metrics.watch("shoal.call.retry_budget", lambda: (Point(said, budget.saved),))
    return made


def measured(series: Series | None, once: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
    """Return an attempt that is counted; the same where nobody counts."""
    if series is None:
        return once

    async def attempt() -> T:
        began = perf_counter()
        try:
            answer = await once()
        except CallFailed as error:
            series.observe(str(error.status) if error.status else type(error).__name__, perf_counter() - began)
            raise
        series.observe(str(answer.status), perf_counter() - began)
        return answer

    return attempt
