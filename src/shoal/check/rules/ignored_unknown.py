"""A comment lets a finding pass of a rule that does not exist.

## What it does

Looks for comments `# shoal: ignore[...]` with codes that no rule has.

## Why

It is a slip of the pen, or the rule of a package that is not installed here. Either way the comment does not do what
it says.

## Bad

```python
from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> str:
    return "1.08"  # shoal: ignore[SH999] the file is always there <- SH005


system = System("bank", services=[rates])
```

## Good

```python
from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> str:
    return "1.08"


system = System("bank", services=[rates])
```
"""

from shoal.check.rule import Rule, nothing

RULE = Rule(
    code="SH005",
    name="ignored-unknown",
    severity="warning",
    summary="a comment lets findings of an unknown rule pass",
    page=__doc__,
    find=nothing,
)
