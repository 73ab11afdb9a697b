"""What somebody is told of every service: one row for each alert. A page of the documentation explains each."""

from typing import Literal

from shoal.deploy.kubernetes.monitoring.promql import (
    EVENTS,
    FAILED,
    OBJECTIVES,
    PROJECTIONS,
    REQUESTS,
    SCHEDULES,
    duration,
    of,
    quantile,
    rate,
    select,
    share,
    summed,
)
from shoal.model.burning import LEAST, Alarm, alarms
from shoal.model.data import Data
from shoal.model.objectives import Objective
from shoal.model.service import Service

Severity = Literal["page", "ticket"]
"""``page`` wakes somebody; ``ticket`` is looked at within days."""

BY = ("namespace", "job")
"""An alert is about one service of one environment."""


class Alert(Data, frozen=True, kw_only=True):
    """One rule: when it holds for a time, somebody is told."""

    name: str
    expression: str
    lasting: str = "0m"
    """For how long it must hold."""
    severity: Severity
    summary: str
    labels: dict[str, str] = {}  # noqa: RUF012 - never changed


def everywhere() -> tuple[Alert, ...]:
    """List the alerts that every service has, whatever it declares; who uses them puts a matcher in place of ``%s``."""
    return (*_golden(), *_outbox(), *_events(), *_behind(), *_calls(), *_saturation())


def promised(service: Service) -> tuple[Alert, ...]:
    """List the alerts of what a service promises, by its declared objectives: of itself, and of its endpoints."""
    found = [(service.name, objective) for objective in service.objectives]
    found += [(f"{service.name}.{e.name}", objective) for e in service.endpoints for objective in e.objectives]
    return tuple(
        _burning(service.name, what, objective, alarm) for what, objective in found for alarm in alarms(objective)
    )


def _golden() -> tuple[Alert, ...]:
    failed, whole = (rate(f"{REQUESTS}_count", "%s", *more, over="5m") for more in ((FAILED,), ()))
    often = f"{summed(whole, *BY)} > 0.1"
    return (
        Alert(
            name="ServiceAbsent",
            expression=_absent(),
            lasting="2m",
            severity="page",
            summary="No replica of {{ $labels.job }} can be asked.",
        ),
        Alert(
            name="RequestsFail",
            expression=f"({share(failed, whole, *BY)} > 0.05)\nand ({often})",
            lasting="5m",
            severity="page",
            summary="{{ $labels.job }} fails {{ $value | humanizePercentage }} of its requests.",
        ),
        Alert(
            name="RequestsSlow",
            expression=f"({quantile(0.99, REQUESTS, '%s', over='10m', by=BY)} > 2)\nand ({often})",
            lasting="10m",
            severity="ticket",
            summary="One request in a hundred to {{ $labels.job }} takes {{ $value | humanizeDuration }} or longer.",
        ),
    )


def _absent() -> str:
    """Tell of a service that is not asked any more, by a metric of its own.

    ``up`` alone would not do: it is gone with the last pod, and a proxy that shows the service's metrics with its own
    is up while the service behind it is not.
    """
    alive = select("process_uptime_seconds", "%s")
    present, known = (f"count by ({', '.join(BY)}) ({what})" for what in (alive, f"last_over_time({alive}[1d])"))
    return f"({known}\nunless {present})\nor ({summed(select('up', '%s'), *BY)} == 0)"


def _outbox() -> tuple[Alert, ...]:
    waiting, pending, bound, refused = (
        f"max by ({', '.join(BY)}) ({select(f'shoal_outbox_{what}', '%s')})"
        for what in ("age_seconds", "pending", "bound", "refused")
    )
    return (
        Alert(
            name="OutboxWaits",
            expression=f"{waiting} > 30",
            lasting="2m",
            severity="ticket",
            summary="Events of {{ $labels.job }} have waited {{ $value | humanizeDuration }} for the broker.",
        ),
        Alert(
            name="OutboxFills",
            expression=f"{pending} / {bound} > 0.5",
            lasting="1m",
            severity="page",
            summary="The outbox of {{ $labels.job }} is filled to {{ $value | humanizePercentage }}.",
        ),
        Alert(
            name="EventsRefused",
            expression=f"{refused} > 0",
            severity="page",
            summary="The broker refuses {{ $value }} events of {{ $labels.job }}; they are set aside.",
        ),
    )


def _ended(metric: str, outcome: str, over: str = "15m") -> str:
    """Count what ended so within a time.

    A series begins with the first that ended so, at one: ``increase`` knows no zero before it, and would not count it.
    So a series that was not there before counts whole.
    """
    match = f'shoal_outcome="{outcome}"'
    ended = select(f"{metric}_count", "%s", match)
    return summed(f"({ended} unless last_over_time({ended}[1h] offset {over})) or increase({ended}[{over}])", *BY)


def _events() -> tuple[Alert, ...]:
    outcomes = ('shoal_outcome="retried"', "")
    retried, handled = (rate(f"{EVENTS}_count", "%s", outcome, over="10m") for outcome in outcomes)
    return (
        Alert(
            name="DeadLetters",
            expression=f"{_ended(EVENTS, 'dead')} > 0",
            severity="ticket",
            summary="{{ $labels.job }} gave up {{ $value | humanize }} events within a quarter of an hour.",
        ),
        Alert(
            name="EventsLate",
            expression=f"{quantile(0.99, 'shoal_event_delay_seconds', '%s', over='10m', by=BY)} > 30",
            lasting="5m",
            severity="ticket",
            summary="What {{ $labels.job }} hears takes effect half a minute after it was announced, or later.",
        ),
        Alert(
            name="EventsRetried",
            expression=f"({share(retried, handled, *BY)} > 0.25)\nand ({summed(handled, *BY)} > 0.02)",
            lasting="10m",
            severity="ticket",
            summary="{{ $labels.job }} falls behind: {{ $value | humanizePercentage }} is tried again.",
        ),
    )


def _behind() -> tuple[Alert, ...]:
    return (
        Alert(
            name="SagasParked",
            expression=f"{summed(select('shoal_sagas_parked', '%s'), *BY)} > 0",
            severity="ticket",
            summary="{{ $value }} sagas of {{ $labels.job }} wait for a person.",
        ),
        Alert(
            name="ReadModelsFail",
            expression=f"{_ended(PROJECTIONS, 'failed')} > 3",
            severity="ticket",
            summary="Read models of {{ $labels.job }} cannot take an event, and stand still.",
        ),
        Alert(
            name="SchedulesAbandoned",
            expression=f"{_ended(SCHEDULES, 'abandoned', '1h')} > 0",
            severity="ticket",
            summary="{{ $labels.job }} gave up {{ $value | humanize }} runs of its schedules within the hour.",
        ),
    )


def _calls() -> tuple[Alert, ...]:
    circuits = f"max by ({', '.join(BY)}, shoal_circuit) ({select('shoal_circuit_state', '%s')}) == 2"
    return (
        Alert(
            name="BreakerOpen",
            expression=circuits,
            lasting="1m",
            severity="ticket",
            summary="{{ $labels.job }} does not call {{ $labels.shoal_circuit }} any more: the calls had failed.",
        ),
        Alert(
            name="BreakerStaysOpen",
            expression=circuits,
            lasting="10m",
            severity="page",
            summary="{{ $labels.job }} has done without {{ $labels.shoal_circuit }} for ten minutes.",
        ),
    )


def _saturation() -> tuple[Alert, ...]:
    def away(metric: str) -> str:
        return f"max by ({', '.join(BY)}) ({select(metric, '%s')}) == 0"

    waiting = summed(select("db_client_connection_pending_requests", "%s"), *BY)
    lag = quantile(0.99, "shoal_loop_lag_seconds", "%s", over="5m", by=BY)
    return (
        Alert(
            name="StoreAway",
            expression=away("shoal_store_up"),
            lasting="1m",
            severity="page",
            summary="No replica of {{ $labels.job }} reaches its store.",
        ),
        Alert(
            name="CacheAway",
            expression=away("shoal_cache_up"),
            lasting="5m",
            severity="ticket",
            summary="No replica of {{ $labels.job }} reaches its cache; it works on, slower.",
        ),
        Alert(
            name="ConnectionsScarce",
            expression=f"{waiting} > 0",
            lasting="5m",
            severity="ticket",
            summary="{{ $value }} requests of {{ $labels.job }} wait for a connection to its store.",
        ),
        Alert(
            name="LoopLate",
            expression=f"{lag} > 0.25",
            lasting="10m",
            severity="ticket",
            summary="{{ $labels.job }} is {{ $value | humanizeDuration }} late: its processor is busy.",
        ),
    )


def _burning(service: str, what: str, objective: Objective, alarm: Alarm) -> Alert:
    """Tell that a budget burns: over a long window, that it matters, and over a short one, that it goes on."""
    match = (of(service), f'shoal_operation="{what}"', f'shoal_objective="{objective.name}"')
    bad = (*match, 'shoal_outcome="bad"')
    limit = alarm.rate * (1 - objective.goal)
    windows = [duration(seconds) for seconds in (alarm.long, alarm.short)]
    burns = [
        f"({share(rate(OBJECTIVES, *bad, over=w), rate(OBJECTIVES, *match, over=w), *BY)} > {limit:.9g})"
        for w in windows
    ]
    enough = f"({summed(f'increase({select(OBJECTIVES, *bad)}[{windows[0]}])', *BY)} >= {LEAST})"
    return Alert(
        name="BudgetBurns",
        expression="\nand ".join((*burns, enough)),
        severity=alarm.severity,
        summary=(
            f"{what} promises {objective.promise}; its budget burns {alarm.rate:g} times too fast ({windows[0]})."
        ),
        labels={"operation": what, "objective": objective.name, "window": windows[0]},
    )
