"""The replicas of a service may open more connections than its database lets in.

## What it does

Multiplies, for each environment in `targets/`, the connections that one process of a service opens at most by its
replicas under load (`most`), and compares that with what the server of that size lets in. Sizes of AWS and Azure are
known; on Google Cloud and Kubernetes the files that `shoal deploy` writes make room by themselves.

## Why

A pool keeps one process from opening too many connections. It does nothing about ten processes. The database refuses
when load is highest and the service grows: the very replicas that were to help fail to start.

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

```toml title="targets/aws-production.toml"
name = "production"

[engines]
postgres = "db.t4g.micro"

[services.orders]
most = 12  # <- SH306
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

```toml title="targets/aws-production.toml"
name = "production"

[engines]
postgres = "db.t4g.medium"

[services.orders]
most = 12
```

## Options

`pool`: connections of one process, 17 when nothing is said: those of its pool, and one for its relay.
"""

from collections.abc import Iterator

import msgspec

from shoal.check.finding import Finding
from shoal.check.rule import Rule
from shoal.check.subject import Subject
from shoal.check.targets import MOST, Target, targets

_POSTGRES = frozenset({"postgres", "documents"})
_GIB = 1024**3
_BYTES = 9_531_392
"""Bytes of memory for each connection (Amazon RDS user guide, "Maximum number of database connections")."""

_MEMORY = {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16, "2xlarge": 32}
"""GiB of an instance of the classes t and m; those of the class r have twice as much from ``large`` on."""

_AZURE = {"B1ms": 35, "B2s": 414, "B2ms": 844, "B4ms": 1703, "D2": 844, "D4": 1703, "E2": 1703}
"""Connections of users (Azure Database for PostgreSQL, "Limits", maximum connections); larger ones have thousands."""

_USUAL = {"aws": "db.t4g.micro", "azure": "GP_Standard_D2ds_v5"}


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an author may set."""

    pool: int = 17


def find(subject: Subject, options: Options) -> Iterator[Finding]:
    """Find services whose replicas open more connections together than their server takes."""
    for target in targets(subject.files):
        size = str(target.table("engines").get("postgres", _USUAL.get(target.cloud, "")))
        room = _room(target, size)
        for service in subject.system.services if room else ():
            most = target.of(service.name, "most", MOST)
            own = service.store is not None and (service.store.production or service.store.engine) in _POSTGRES
            if own and isinstance(most, int) and most * options.pool > room:
                yield Finding(
                    where=target.place(service.name, "most"),
                    message=f"{service.name} may have {most} replicas in {target.name}, which open up to"
                    f" {most * options.pool} connections, and {size} lets in {room}",
                    impact=f"from {room // options.pool + 1} replicas on the database refuses some of them",
                    help="take a larger size of the engine, or fewer replicas; a pooler before it shares connections",
                )


def _room(target: Target, size: str) -> int:
    """Say how many connections a server lets in; 0 where that is not known."""
    if target.cloud == "aws":
        family, _, large = size.removeprefix("db.").partition(".")
        doubled = family.startswith("r") and large.endswith("large")
        return _MEMORY.get(large, 0) * (2 if doubled else 1) * _GIB // _BYTES
    if target.cloud == "azure":
        return next((room for known, room in _AZURE.items() if f"_{known}" in f"{size}_" and _ends(size, known)), 0)
    return 0


def _ends(size: str, known: str) -> bool:
    """Tell ``D2ds_v5``, which begins as ``D2``, from ``D24``."""
    rest = size.partition(f"_{known}")[2]
    return not rest[:1].isdigit()


RULE = Rule(
    code="SH306",
    name="pool-too-large",
    severity="warning",
    summary="replicas may open more connections than their database lets in",
    page=__doc__,
    find=find,
    options=Options,
    answers=("Latency",),
    needs=frozenset({"declarations"}),
)
