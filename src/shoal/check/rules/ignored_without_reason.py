"""A comment lets findings pass without saying why, or without saying which.

## What it does

Looks for comments `# shoal: ignore[SH101]` with nothing behind them, and for `# shoal: ignore` without codes. Such a
comment lets nothing pass.

## Why

Whoever reads the line next year has to know whether what was true is still true. A comment for everything hides what
nobody has looked at yet.

## Bad

```python
import urllib.request

from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> str:
    with urllib.request.urlopen("http://127.0.0.1:9/rates") as answer:  # shoal: ignore[SH301] <- SH003
        return str(answer.read())


system = System("bank", services=[rates])
```

## Good

```python
import urllib.request

from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> str:
    # shoal: ignore[SH301] the file is on this machine, and always there
    with urllib.request.urlopen("file:///srv/rates.txt") as answer:
        return str(answer.read())


system = System("bank", services=[rates])
```
"""

from shoal.check.rule import Rule, nothing

RULE = Rule(
    code="SH003",
    name="ignored-without-reason",
    severity="error",
    summary="a comment lets findings pass without a reason",
    page=__doc__,
    find=nothing,
)
