"""The promises that hold for every system, each with the function that checks it."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from shoal.audit import aggregates, events, operations, projections, sagas, secrecy
from shoal.audit.subject import Subject
from shoal.audit.survey import Survey
from shoal.service.audit import Verdict


class Promise(NamedTuple):
    """One promise."""

    code: str
    title: str
    check: Callable[[Subject, Survey], Awaitable[Verdict]]


PROMISES: tuple[Promise, ...] = (
    Promise("I5", "every saga has ended, was undone whole, or is parked", sagas.ended),
    Promise("I6", "every read model equals the fold of its events", projections.as_folded),
    Promise("I6", "every aggregate equals the fold of its facts", aggregates.as_folded),
    Promise("I7", "every event that was committed is announced", events.announced),
    Promise("I7", "every event is handled once by each service that hears it", events.handled),
    Promise("I7", "every consumer has answered all that it was given", events.lag),
    Promise("I8", "journals and the numbers of each key have no gap", projections.gap_free),
    Promise("I9", "every command of a client happened as often as its answer says", operations.operations),
    Promise("I10", "dead letters are exactly those expected", events.dead_letters),
    Promise("I11", "no secret is in a log, an event or a dead letter", secrecy.secrets),
    Promise("I12", "the broker holds every event that it acknowledged", events.carried),
)
