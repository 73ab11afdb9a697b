"""A comment lets a finding pass that is not there.

## What it does

Looks for comments `# shoal: ignore[...]` at whose line the named rule was asked and found nothing. `--fix` takes the
code out of the comment, and with the last code the comment.

## Why

What was let pass has been mended, or has moved to another line. The comment would hide the next one of its kind.

## Bad

```python
from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> str:
    return "1.08"  # shoal: ignore[SH301] the file is always there <- SH004


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
    code="SH004",
    name="ignored-without-use",
    severity="warning",
    summary="a comment lets a finding pass that is not there",
    page=__doc__,
    find=nothing,
    fixable=True,
)
