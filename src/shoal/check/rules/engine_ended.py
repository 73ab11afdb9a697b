"""An engine runs in a version that nobody mends any more.

## What it does

Looks for images and versions of engines in files beside the system (Compose, manifests, Terraform), and compares them
with the days on which their makers end them: PostgreSQL, MongoDB, MySQL, MariaDB, Redis, Valkey, NATS, Kafka,
RabbitMQ, OpenSearch, Elasticsearch. One that ends within `days` is said, too. A version that is in no table is not
judged.

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
  broker:
    image: rabbitmq:3.12-management  # <- SH409
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
  broker:
    image: rabbitmq:4.2-management
```

## Options

`days`: how long before its end a version is said to end: 90.
"""

import datetime as dt
from collections.abc import Iterator

import msgspec

from shoal.check.ends import ENGINES
from shoal.check.finding import Finding
from shoal.check.importing.facts import Facts
from shoal.check.rule import Rule
from shoal.check.subject import Subject
from shoal.check.versions import Running, of_image, running


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an author may set."""

    days: int = 90


def find(subject: Subject, options: Options) -> Iterator[Finding]:
    """Find versions that have ended, or end soon."""
    today = subject.now.date() if subject.now else dt.date.min
    for one in running(subject.files) if subject.imported is None else _imported(subject.imported):
        known = next((version for version in _spelled(one.version) if (one.engine, version) in ENGINES), "")
        end = ENGINES.get((one.engine, known))
        if end is None or end > today + dt.timedelta(days=options.days):
            continue
        ended = end < today
        yield Finding(
            where=one.where,
            message=f"{one.engine} {known} {'has ended' if ended else 'ends'} on {end}",
            help="take a version that is mended, and try the upgrade on a copy of the data first",
            severity="error" if ended else "warning",
        )


def _imported(facts: Facts) -> Iterator[Running]:
    """List the engines of images, whatever variables these are made of."""
    said = (container.image for unit in facts.units for container in unit.containers)
    yield from filter(None, (of_image(image.text, image.where) for image in said if image))


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
