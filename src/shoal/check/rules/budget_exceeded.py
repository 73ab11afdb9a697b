"""An environment is expected to cost more than its budget.

## What it does

Asked by `shoal check --targets`. Estimates a month of every environment in `targets/` that has a `budget`, as `shoal
cost` does: from the resources that `shoal deploy` would write, prices that Shoal brings, and `usage.toml` where the
project has one. Files are of the cloud after which they are called, as `targets/aws-production.toml` is.

## Why

A budget that is only looked at when the bill comes has been exceeded for a month. A second replica or a larger database
is a line in a file, and nobody who reads the line sees what it costs.

## Bad

What was counted is shown as data here.

```python
from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> list[str]:
    \"\"\"What things are worth today.\"\"\"
    return []


system = System("bank", services=[rates])
```

```toml title="targets/aws-production.toml"
name = "production"
budget = 100  # <- SH706
```

```placed
{"bills": [
  {"target": "targets/aws-production.toml", "name": "production", "budget": 100, "expected": 212.4, "high": 350.0}
]}
```

## Good

```python
from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> list[str]:
    \"\"\"What things are worth today.\"\"\"
    return []


system = System("bank", services=[rates])
```

```toml title="targets/aws-production.toml"
name = "production"
budget = 300
```

```placed
{"bills": [
  {"target": "targets/aws-production.toml", "name": "production", "budget": 300, "expected": 212.4, "high": 350.0}
]}
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding, Place
from shoal.check.placed import Bill
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject
from shoal.check.targets import targets


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find environments that are too dear."""
    written = {target.path: target for target in targets(subject.files)}
    for one in subject.placed.bills if subject.placed else ():
        where = written[one.target].at("budget") if one.target in written else Place(one.target)
        if one.problem:
            yield Finding(
                where=where,
                message=f"what a month of {one.name} costs is not known: {one.problem}",
                help=f"see shoal cost --target {one.target}",
                severity="info",
            )
        elif one.expected > one.budget:
            yield _found(one, where)


def _found(one: Bill, where: Place) -> Finding:
    used = "; nobody says how much it is used, so that is assumed: write usage.toml" if one.assumed else ""
    return Finding(
        where=where,
        message=f"a month of {one.name} is expected to cost {one.expected:,.0f} dollars, "
        f"which is more than its budget of {one.budget:,}",
        impact=f"{one.expected - one.budget:,.0f} dollars a month too much, up to {one.high - one.budget:,.0f}{used}",
        help=f"shoal cost --target {one.target} says what for, and what would be cheaper",
    )


RULE = Rule(
    code="SH706",
    name="budget-exceeded",
    severity="warning",
    summary="an environment is expected to cost more than its budget",
    page=__doc__,
    find=find,
    answers=("Right-sized containers", "Managed services"),
    needs=frozenset({"placed"}),
)
