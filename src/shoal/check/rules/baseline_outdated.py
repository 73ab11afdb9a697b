"""The baseline lets a finding pass that is no longer there.

## What it does

Compares the baseline with what is found. `shoal check --shrink` takes out what is gone, and so does `--fix`; nothing
ever adds to the file.

## Why

A baseline is a debt that is paid back. An entry that stays after its finding is gone would let the same mistake in
again.

## Bad

```python
from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> str:
    return "1.08"


system = System("bank", services=[rates])
```

```toml title="pyproject.toml"
[tool.shoal.check]
baseline = "check-baseline.json"
```

```json title="check-baseline.json"
{
  "format": 1,
  "findings": [
    {"file":"system.py","code":"SH301","line":"with urllib.request.urlopen(RATES) as answer:","count":1} <- SH006
  ]
}
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

```toml title="pyproject.toml"
[tool.shoal.check]
baseline = "check-baseline.json"
```

```json title="check-baseline.json"
{
  "format": 1,
  "findings": []
}
```
"""

from shoal.check.rule import Rule, nothing

RULE = Rule(
    code="SH006",
    name="baseline-outdated",
    severity="warning",
    summary="the baseline lets a finding pass that is not there",
    page=__doc__,
    find=nothing,
    fixable=True,
)
