"""A rule has failed, so that nobody knows what it would have found.

## What it does

Names the rule that ended with an error of its own, and where. What it had found by then is kept, and all other rules
are asked as usual.

## Why

A rule may come from anybody. One that fails must neither hide what the others find nor look as if it had found nothing.

## Bad

The output of a check, with a rule of an installed package:

```text
shop/system.py:24:1 SH001 [error] rule ACME001 own-names has failed: KeyError: 'orders' (find, line 31)
```

## Good

The rule is mended, or it is not asked for now:

```toml title="pyproject.toml"
[tool.shoal.check]
disable = ["ACME001"]
```
"""

from shoal.check.rule import Rule, nothing

RULE = Rule(
    code="SH001",
    name="rule-failed",
    severity="error",
    summary="a rule has failed",
    page=__doc__,
    find=nothing,
)
