"""An environment chooses a service that its cloud ends.

## What it does

Looks for settings in `targets/` that choose something which has an end, by the announcements of those who run it: App
Mesh, Container Registry. What ends within `days` is said, too.

## Why

From that day on nothing is mended, then nothing answers. Leaving a mesh takes weeks and is done service by service, so
the last day is the wrong one to begin.

## Bad

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
compute = "eks"
account = "123456789012"
mesh = "app-mesh"  # <- SH703
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
compute = "eks"
account = "123456789012"
mesh = "istio"
```

## Options

`days`: how long before its end a service is said to end: 365.
"""

import datetime as dt
from collections.abc import Iterator

import msgspec

from shoal.check.ends import SERVICES
from shoal.check.finding import Finding
from shoal.check.rule import Rule
from shoal.check.subject import Subject
from shoal.check.targets import Target, targets

_REGISTRY = ("gcr.io", "us.gcr.io", "eu.gcr.io", "asia.gcr.io")


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an author may set."""

    days: int = 365


def find(subject: Subject, options: Options) -> Iterator[Finding]:
    """Find what is chosen and ends."""
    today = subject.now.date() if subject.now else dt.date.min
    for target in targets(subject.files):
        for key, chosen in _chosen(target):
            name, end, instead = SERVICES[chosen]
            if end <= today + dt.timedelta(days=options.days):
                yield Finding(
                    where=target.at(key),
                    message=f"{target.name} relies on {name}, which {'has ended' if end <= today else 'ends'} on {end}",
                    help=f"take {instead}",
                    severity="error" if end <= today else "warning",
                )


def _chosen(target: Target) -> Iterator[tuple[str, str]]:
    for key, value in target.said.items():
        if isinstance(value, str) and value in SERVICES:
            yield key, value
    if str(target.said.get("registry", "")).partition("/")[0] in _REGISTRY:
        yield "registry", "container-registry"


RULE = Rule(
    code="SH703",
    name="service-ended",
    severity="error",
    summary="an environment chooses a service that its cloud ends",
    page=__doc__,
    find=find,
    options=Options,
    needs=frozenset({"declarations", "now"}),
)
