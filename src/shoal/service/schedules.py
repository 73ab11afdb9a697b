"""What a service does by the clock."""

import zoneinfo
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Any, TypedDict, TypeVar, Unpack

import msgspec

from shoal.errors import DeclarationError
from shoal.model import cron
from shoal.model.due import Rule
from shoal.model.names import check_label
from shoal.model.schedule import MISSED, Missed, Schedule
from shoal.model.service import Policy
from shoal.model.store import Store
from shoal.service.marks import build_policy, check_options
from shoal.service.source import of_function

Work = Callable[..., Awaitable[Any]]
H = TypeVar("H", bound=Work)

SHORTEST = 1.0
"""Seconds of the shortest period."""


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """Why a schedule's handler runs; take it as a parameter."""

    schedule: str
    due: datetime
    """When this run was due, on the clock of the schedule's zone; what runs late, or again, has the same one."""
    previous: datetime | None = None
    """Due time of the last run that was settled: done, or given up. None for the first."""
    attempt: int = 1


class ScheduleOptions(TypedDict, total=False):
    """What every schedule may say besides its rule."""

    name: str
    """DNS label under which its progress is kept; that of the handler when nothing is said."""
    missed: Missed
    """What becomes of due times at which nothing ran. ``skip``: nothing, unless they are no more than a minute ago.
    ``once``, when nothing is said: one run, for the latest of them. ``all``: one run for each, oldest first, for the
    latest hundred."""
    timeout: float
    """Seconds until an attempt is cancelled; 25 when nothing is said."""
    attempts: int
    """Attempts of a run before it is given up; 5 when nothing is said. What failed because something was away, such
    as another service, is tried again until the next run is due."""
    backoff: float
    """Seconds before the second attempt, 1 when nothing is said; doubles each time up to a minute, with jitter."""
    apart: bool
    """Whether Kubernetes starts a process of its own for each run (a CronJob): for what needs more memory or more time
    than requests leave it. Elsewhere a replica runs it, as any other."""


class ScheduleDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """One handler that runs by the clock."""

    model: Schedule
    handler: Work
    rule: Rule
    zone: tzinfo
    policy: Policy


class ScheduleDeclarations:
    """The part of `Service` on which schedules are declared."""

    name: str
    store: Store | None
    background: list[Work]

    @cached_property
    def schedules(self) -> list[ScheduleDeclaration]:
        """The schedules declared so far."""
        return []

    def every(
        self,
        period: timedelta | None = None,
        /,
        *,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        **options: Unpack[ScheduleOptions],
    ) -> Callable[[H], H]:
        """Run a handler once per period, on one replica.

        Due times are counted from 1970 in UTC: ``minutes=5`` is due at :00, :05, :10 ... on every replica.
        """
        span = (period or timedelta()) + timedelta(hours=hours, minutes=minutes, seconds=seconds)

        def declare(handler: H) -> H:
            place = of_function(handler)
            if span.total_seconds() < SHORTEST:
                raise DeclarationError(
                    f"schedule {handler.__name__} has a period of {span.total_seconds():g} s",
                    hint="write @service.every(minutes=5); the shortest period is one second",
                    where=place,
                )
            self._schedule(handler, {"every": span.total_seconds()}, (span, UTC), options)
            return handler

        return declare

    def cron(self, expression: str, *, zone: str = "UTC", **options: Unpack[ScheduleOptions]) -> Callable[[H], H]:
        """Run a handler once at each time that a cron expression names, on one replica.

        Args:
            expression: Minute, hour, day of the month, month and day of the week, as crontab(5) has them.
            zone: Whose clocks it means, such as ``Europe/Berlin``. Where they jump, what has a time of day runs once
                that day, and what has a pace keeps it.
            **options: See `ScheduleOptions`.
        """

        def declare(handler: H) -> H:
            place = of_function(handler)
            read, clock = cron.parse(expression, where=place), _zone(zone, place)
            self._schedule(handler, {"cron": read.text, "zone": zone}, ((read, clock), clock), options)
            return handler

        return declare

    def _schedule(
        self, handler: Work, rule: dict[str, Any], compiled: tuple[Rule, tzinfo], options: ScheduleOptions
    ) -> None:
        place = of_function(handler)
        name = options.get("name") or getattr(handler, "__name__", "").replace("_", "-")
        self._refuse(check_label("schedule", name, where=place), options, place)
        policy = build_policy(
            place,
            timeout=options.get("timeout", 25.0),
            attempts=options.get("attempts", 5),
            backoff=options.get("backoff", 1.0),
        )
        model = Schedule(
            name=name,
            missed=options.get("missed", "once"),
            timeout=policy.timeout,
            attempts=policy.attempts,
            backoff=policy.backoff,
            apart=options.get("apart", False),
            summary=(handler.__doc__ or "").strip().partition("\n")[0],
            source=place,
            **rule,
        )
        self.schedules.append(
            ScheduleDeclaration(model=model, handler=handler, rule=compiled[0], zone=compiled[1], policy=policy)
        )
        self.background.append(handler)

    def _refuse(self, name: str, options: ScheduleOptions, place: str) -> None:
        check_options(f"schedule {name}", options, ScheduleOptions.__annotations__, place)
        if options.get("missed", "once") not in MISSED:
            raise DeclarationError(
                f"schedule {name} has missed={options.get('missed')!r}",
                hint=f"choose from: {', '.join(MISSED)}",
                where=place,
            )
        if any(known.model.name == name for known in self.schedules):
            raise DeclarationError(
                f"service {self.name} declares schedule {name} twice", hint='give one of them name="..."', where=place
            )
        if self.store is None:
            raise DeclarationError(
                f"schedule {name} keeps its progress in a store, but service {self.name} has none",
                hint=f'declare Service("{self.name}", store=Postgres())',
                where=place,
            )


def _zone(name: str, place: str) -> tzinfo:
    """Find a zone; UTC needs no database of them."""
    if name == "UTC":
        return UTC
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise DeclarationError(
            f"no zone {name!r} is known here",
            hint="use a name such as Europe/Berlin; if the machine knows no zones at all, install the package tzdata",
            where=place,
        ) from error
