"""An engine runs in a version that nobody mends any more.

## What it does

Looks for images and versions of engines in files beside the system (Compose, manifests, Terraform), and compares them
with the days on which their makers end them. One that ends within `days` is said, too.

## Why

Holes that are found after that day stay open, and everybody can read how to use them.

## Bad

```python
from shoal import Postgres, Service, System, anyone

orders = Service("orders", store=Postgres())


@orders.get("/orders", access=anyone)
async def show() -> list[str]:
    \"\"\"Orders, newest first.\"\"\"
    return []


system = System("shop", services=[orders])
```

```yaml title="compose.yaml"
services:
  database:
    image: postgres:12-alpine  # <- SH409
```

## Good

```python
from shoal import Postgres, Service, System, anyone

orders = Service("orders", store=Postgres())


@orders.get("/orders", access=anyone)
async def show() -> list[str]:
    \"\"\"Orders, newest first.\"\"\"
    return []


system = System("shop", services=[orders])
```

```yaml title="compose.yaml"
services:
  database:
    image: postgres:18-alpine
```

## Options

`days`: how long before its end a version is said to end: 90.
"""

import datetime as dt
import re
from collections.abc import Iterator

import msgspec

from shoal.check.ends import ENGINES
from shoal.check.finding import Finding, Place
from shoal.check.rule import Rule
from shoal.check.subject import Subject

_IMAGE = re.compile(
    r"^[^#]*\bimage(?:Name)?:\s*[\"']?(?:[\w.:-]+/)*(?P<engine>postgres(?:ql)?|postgis|mongo(?:db)?|redis|mysql)"
    r"[\w-]*:v?(?P<version>\d+(?:\.\d+)?)"
)
_TERRAFORM = re.compile(r"^\s*(?:engine|family)\s*=\s*\"(?P<engine>postgres|redis|mysql|docdb)")
_VERSION = re.compile(r"^\s*(?:engine_version|version)\s*=\s*\"(?P<version>\d+(?:\.\d+)?)")
_SAME = {"postgresql": "postgres", "postgis": "postgres", "mongodb": "mongo"}


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an author may set."""

    days: int = 90


def find(subject: Subject, options: Options) -> Iterator[Finding]:
    """Find versions that have ended, or end soon."""
    today = subject.now.date() if subject.now else dt.date.min
    for path, engine, version, number in _versions(subject):
        known = next((one for one in _spelled(version) if (engine, one) in ENGINES), "")
        end = ENGINES.get((engine, known))
        if end is None or end > today + dt.timedelta(days=options.days):
            continue
        ended = end <= today
        yield Finding(
            where=Place(path, number),
            message=f"{engine} {known} {'has ended' if ended else 'ends'} on {end}",
            help="take a version that is mended, and try the upgrade on a copy of the data first",
            severity="error" if ended else "warning",
        )


def _versions(subject: Subject) -> Iterator[tuple[str, str, str, int]]:
    for path, text in subject.files.items():
        engine = ""
        for number, line in enumerate(text.splitlines(), 1):
            if found := _IMAGE.match(line):
                yield path, _SAME.get(found["engine"], found["engine"]), found["version"], number
            elif path.endswith(".tf") and (found := _TERRAFORM.match(line)):
                engine = found["engine"]
            elif engine and path.endswith(".tf") and (found := _VERSION.match(line)):
                yield path, engine, found["version"], number
                engine = ""
            elif line.startswith("}"):
                engine = ""


def _spelled(version: str) -> tuple[str, ...]:
    """Spell a version as tables do: ``12.4`` is ``12``, and ``7`` of what has minor versions is none of them."""
    return version, version.partition(".")[0]


RULE = Rule(
    code="SH409",
    name="engine-ended",
    severity="error",
    summary="an engine runs in a version that nobody mends any more",
    page=__doc__,
    find=find,
    options=Options,
    needs=frozenset({"sizes", "now"}),
)
