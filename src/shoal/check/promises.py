"""What operations may promise at most, by what those promise that they wait for."""

import math
from collections.abc import Mapping, Sequence

from shoal.check.graph import Handler, Site
from shoal.check.subject import Subject
from shoal.model.objectives import Objective

USUAL = (0.999, 0.995, 0.99, 0.98, 0.95, 0.9)
"""Shares that people promise."""


def promised(objectives: Sequence[Objective]) -> float:
    """Return the highest share of answers that objectives promise; 0 where none does."""
    return max((o.availability for o in objectives if o.availability), default=0.0)


def needed(subject: Subject, handler: Handler) -> Mapping[str, float]:
    """Map the services that a handler waits for, and nothing stands in for, to what they promise, if they do."""
    sites = subject.graph.sites.get(handler, ())
    names = sorted({site.call.service for site in sites if site.certain and not _stands_in(site)})
    found = {name: promised(subject.system.service(name).objectives) for name in names}
    return {name: share for name, share in found.items() if share}


def usual(theirs: Mapping[str, float]) -> float:
    """Return the highest of the usual promises that can be kept by who waits for these."""
    most = math.prod(theirs.values()) + 1e-12
    return next((share for share in USUAL if share <= most), USUAL[-1])


def _stands_in(site: Site) -> bool:
    return site.call.breaker is not None and bool(site.call.breaker.fallback or site.call.breaker.cached)
