"""Which service is several: parts of it share no data, nobody asks for both, and different people change them."""

from collections.abc import Iterator
from itertools import combinations

from shoal.check.fit.advice import Criterion, Split
from shoal.check.fit.effects import split
from shoal.check.fit.evidence import Evidence, Part, Service
from shoal.check.fit.history import authors_of


def splits(evidence: Evidence) -> tuple[Split, ...]:
    """Judge every service that falls into parts by its data."""
    return tuple(_judged(evidence, service) for service in evidence.services if len(service.parts) > 1)


def _judged(evidence: Evidence, service: Service) -> Split:
    criteria = tuple(_criteria(evidence, service))
    answers = [one.met for one in criteria]
    return Split(
        service=service.name,
        verdict="whole" if False in answers else "unknown" if None in answers else "split",
        parts=tuple(f"{', '.join(part.handlers)} ({', '.join(part.data)})" for part in service.parts),
        criteria=criteria,
        effect=split(evidence, service.name, len(service.parts)),
    )


def _criteria(evidence: Evidence, service: Service) -> Iterator[Criterion]:
    yield Criterion(
        name="disjoint data",
        asks="handlers fall into parts that keep nothing in common",
        found=f"{len(service.parts)} parts",
        met=True,
    )
    both = sorted({name for one, other in combinations(service.parts, 2) for name in {*one.callers} & {*other.callers}})
    asked = any(part.callers for part in service.parts)
    yield Criterion(
        name="disjoint callers",
        asks="no service asks or tells two parts",
        found=(f"{', '.join(both)} in common" if both else "none in common") if asked else "",
        met=not both if asked else None,
        need="" if asked else "who asks: nobody within the system does",
    )
    yield _authors(evidence, service.parts)


def _authors(evidence: Evidence, parts: tuple[Part, ...]) -> Criterion:
    asks = "nobody changes two parts"
    if evidence.history is None:
        return Criterion(name="disjoint authors", asks=asks, found="", met=None, need="a history of git")
    known = [authors_of(evidence, part.files) for part in parts]
    who = [one for one in known if one is not None]
    if len(who) < len(parts):
        need = "commits of files that serve one part alone; what stands in one file changes together"
        return Criterion(name="disjoint authors", asks=asks, found="", met=None, need=need)
    both = frozenset[str]().union(*(one & other for one, other in combinations(who, 2)))
    found = f"{len(both)} of {len(frozenset[str]().union(*who))} change more than one"
    return Criterion(name="disjoint authors", asks=asks, found=found, met=not both)
