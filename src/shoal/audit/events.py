"""The promises about events: announced, carried, handled once, or set aside for a reason that is known."""

from collections.abc import Iterable

from shoal.audit.subject import Letter, Subject
from shoal.audit.survey import Survey
from shoal.service.audit import Verdict

NO_BROKER = "the system has no broker that an operator can read"


async def announced(_: Subject, survey: Survey) -> Verdict:
    """Look for events that the broker has not taken."""
    trails = survey.trails.values()
    waiting = [f"{text} waits in the outbox" for trail in trails for text in trail.waiting]
    refused = [f"{text} was refused" for trail in trails for text in trail.refused]
    counts = {"events": sum(t.announced for t in trails), "waiting": len(waiting), "refused": len(refused)}
    return Verdict(counts=counts, violations=(*waiting, *refused))


async def handled(subject: Subject, survey: Survey) -> Verdict:
    """Look for events that somebody who hears them has neither handled nor buried."""
    if subject.broker is None:
        return Verdict(unchecked=NO_BROKER)
    trails = survey.trails.values()
    if survey.unread:
        return Verdict(unchecked=survey.unread)
    missing = [f"{text} was not handled" for trail in trails for text in trail.unhandled]
    counts = {
        "handled": sum(trail.handled for trail in trails),
        "unhandled": len(missing),
        "dead": sum(trail.dead for trail in trails),
    }
    return Verdict(counts=counts, violations=tuple(missing))


async def lag(subject: Subject, survey: Survey) -> Verdict:
    """Look for consumers that have not answered all that they were given."""
    if subject.broker is None:
        return Verdict(unchecked=NO_BROKER)
    lags = [(f"{stream} {name}", count) for stream, each in survey.lags.items() for name, count in each.items()]
    behind = tuple(f"{name} is {count} behind" for name, count in lags if count)
    absent = tuple(f"{each} has no consumer of its own" for each in _without_consumer(subject, survey))
    if survey.uncounted:
        return Verdict(unchecked=survey.uncounted, violations=absent)
    counts = {"consumers": len(lags), "unanswered": sum(count for _, count in lags)}
    return Verdict(counts=counts, violations=(*behind, *absent))


async def carried(subject: Subject, survey: Survey) -> Verdict:
    """Look for acknowledged events that the broker does not hold any more."""
    if subject.broker is None:
        return Verdict(unchecked=NO_BROKER)
    trails = survey.trails.values()
    lost = [f"{text}, is not in the stream" for trail in trails for text in trail.lost]
    absent = [f"{name} does not exist" for name in survey.absent]
    if survey.unread:
        return Verdict(unchecked=survey.unread, violations=tuple(absent))
    held = sum(book.count for book in survey.books.values())
    counts = {
        "messages": held,
        "repeated": held - sum(len(book.stamps) for book in survey.books.values()),
        "lost": len(lost),
    }
    return Verdict(counts=counts, violations=(*lost, *absent))


async def dead_letters(subject: Subject, survey: Survey) -> Verdict:
    """Compare the dead letters with those that there should be."""
    if subject.broker is None:
        return Verdict(unchecked=NO_BROKER)
    unexpected, missing = survey.letters - subject.expected, subject.expected - survey.letters
    counts = {"letters": len(survey.letters), "expected": len(subject.expected)}
    violations = [f"{text} is a dead letter" for text in _spelled(unexpected)]
    violations += [f"{text} is not among the dead letters" for text in _spelled(missing)]
    return Verdict(counts=counts, violations=tuple(violations))


def _spelled(letters: Iterable[Letter]) -> list[str]:
    return sorted(f"{message} of {service}" for service, message in letters)


def _without_consumer(subject: Subject, survey: Survey) -> list[str]:
    return [
        f"{planned.durable} of stream {planned.stream}"
        for service in subject.plan.services
        if service.broker is not None
        for planned in service.broker.consumers
        if planned.stream in survey.lags and planned.durable not in survey.lags[planned.stream]
    ]
