"""A callee may take longer than any of its callers has.

## What it does

Compares the time limit of each operation that services call with those of the handlers that call it. It is found where
no caller has as much time, at the first call.

## Why

The framework hands on what is left of the caller's time, so the longer limit is never used. Whoever set it meant
something by it: that the work takes so long. Then every caller gives up first, and its clients see errors.

## Bad

```python
from typing import Protocol

from shoal import Service, System, anyone, contract, get, internal


@contract("reports")
class ReportsApi(Protocol):
    @get("/report", access=internal, timeout=30.0)
    async def report(self) -> str: ...


reports = Service("reports")
web = Service("web")


@reports.implements(ReportsApi.report)
async def report() -> str:
    \"\"\"A report.\"\"\"
    return "all is well"


@web.get("/page", access=anyone, timeout=5.0)
async def page(reports: ReportsApi) -> str:
    \"\"\"Show the report.\"\"\"
    return await reports.report()  # <- SH303


system = System("office", services=[reports, web])
```

## Good

```python
from typing import Protocol

from shoal import Service, System, anyone, contract, get, internal


@contract("reports")
class ReportsApi(Protocol):
    @get("/report", access=internal, timeout=3.0)
    async def report(self) -> str: ...


reports = Service("reports")
web = Service("web")


@reports.implements(ReportsApi.report)
async def report() -> str:
    \"\"\"A report.\"\"\"
    return "all is well"


@web.get("/page", access=anyone, timeout=5.0)
async def page(reports: ReportsApi) -> str:
    \"\"\"Show the report.\"\"\"
    return await reports.report()


system = System("office", services=[reports, web])
```
"""

import math
from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.graph import Operation, Site
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find operations whose limit is beyond that of all their callers."""
    calling: dict[Operation, list[Site]] = {}
    for sites in subject.graph.sites.values():
        for site in sites:
            calling.setdefault(site.callee, []).append(site)
    for operation, asking in calling.items():
        longest = max(asking, key=_own)
        if (theirs := _limit(longest)) > _own(longest):
            yield Finding(
                where=asking[0].where,
                message=f"{operation} may take {theirs:g} s, and {longest.handler} answers within {_own(longest):g} s",
                help=f"give {operation} less than {_own(longest):g} s, or let {longest.handler.name} take longer",
            )


def _own(site: Site) -> float:
    """Seconds that the caller has; no end for what is no answer to somebody who waits."""
    endpoint = site.handler.endpoint
    return math.inf if endpoint is None or endpoint.edge.goes_on else endpoint.policy.timeout


def _limit(site: Site) -> float:
    breaker = site.call.breaker
    return breaker.timeout if breaker is not None and breaker.timeout else site.call.policy.timeout


RULE = Rule(
    code="SH303",
    name="deadline-too-long",
    severity="info",
    summary="a callee may take longer than any of its callers has",
    page=__doc__,
    find=find,
    answers=("Latency",),
    needs=frozenset({"declarations"}),
)
