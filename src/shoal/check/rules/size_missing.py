"""A container has no limits, or a service asks for more than a machine has.

## What it does

Looks for objects in manifests beside the system that run containers and say no `requests` or no `limits`, and for
services in `targets/` of Kubernetes that ask for more than `most-cpu` or `most-memory`.

Of a system in files of Kubernetes it looks at each container, and takes a `LimitRange` of the namespace into account.
Files of Compose are mostly run on one machine: there it is a remark, one for all of them.

## Why

A container without requests is placed anywhere and pushed out first. One without a limit of memory takes that of its
neighbours until the node kills somebody. One that asks for more than any node has is never placed.

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

```toml title="targets/production.toml"
name = "production"

[services.rates]
memory = "96Gi"  # <- SH701
```

```yaml title="kubernetes/rates.yaml"
apiVersion: apps/v1
kind: Deployment  # <- SH701
metadata:
  name: rates
spec:
  template:
    spec:
      containers:
        - name: rates
          image: registry.example/rates:1
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

```toml title="targets/production.toml"
name = "production"

[services.rates]
memory = "512Mi"
```

```yaml title="kubernetes/rates.yaml"
apiVersion: apps/v1
kind: Deployment
metadata:
  name: rates
spec:
  template:
    spec:
      containers:
        - name: rates
          image: registry.example/rates:1
          resources:
            requests:
              memory: 256Mi
            limits:
              memory: 256Mi
```

## Options

`most-cpu`: processors of the largest machine: 16. `most-memory`: its GiB: 64.
"""

import re
from collections.abc import Iterator

import msgspec

from shoal.check.finding import Finding
from shoal.check.importing.facts import Facts
from shoal.check.manifests import documents
from shoal.check.rule import Rule
from shoal.check.subject import Subject
from shoal.check.targets import targets

_RUNS = frozenset({"Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job", "Pod"})
_NAMED = 5
"""Containers that a finding about many of them names."""

_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)(m|Ki|Mi|Gi|Ti)?")
_SHARES = {"m": 1e-3, "": 1.0, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """What an author may set."""

    most_cpu: float = 16.0
    most_memory: float = 64.0


def find(subject: Subject, options: Options) -> Iterator[Finding]:
    """Find containers without limits, and services that no machine takes."""
    if subject.imported is not None:
        yield from _cluster(subject.imported)
        yield from _machine(subject.imported)
        return
    for document in documents(subject.files):
        kind = document.said("kind", top=True)
        if kind is None or kind.value not in _RUNS or document.said("containers") is None:
            continue
        missing = [word for word in ("requests", "limits") if document.said(word) is None]
        if missing:
            yield Finding(
                where=kind.where,
                message=f"the containers of {document.kind} {document.name} have no {' and no '.join(missing)}",
                help="say under resources: what they are promised (requests), and the most memory they get (limits)",
            )
    bounds = (("cpu", options.most_cpu, 1.0), ("memory", options.most_memory, 2.0**30))
    for target in targets(subject.files):
        for service in subject.system.services if not target.cloud else ():
            for key, most, unit in bounds:
                value = str(target.of(service.name, key, "0"))
                if _amount(value) > most * unit:
                    yield Finding(
                        where=target.place(service.name, key),
                        message=f"{service.name} asks for {key} = {value} in {target.name}, more than a machine has",
                        help=f"ask for less, or say how large machines are: most-{key} (now {most:g})",
                    )


def _cluster(facts: Facts) -> Iterator[Finding]:
    """Find containers of Kubernetes that are promised nothing, or may take all."""
    for unit in facts.units:
        for container in unit.containers if unit.form == "kubernetes" else ():
            known = (("requests", container.requested), ("limit of memory", container.limited))
            missing = [word for word, said in known if said is False]
            if missing:
                yield Finding(
                    where=container.where,
                    message=f"container {container.name} of {unit.kind} {unit.name} has no {' and no '.join(missing)}",
                    help="say under resources: what it is promised (requests), and the most memory it gets (limits)",
                )


def _machine(facts: Facts) -> Iterator[Finding]:
    """Find containers of Compose that may take all memory: one finding, since they mostly share a machine."""
    units = [unit for unit in facts.units if unit.form == "compose"]
    open_ = [unit for unit in units if not any(container.limited for container in unit.containers)]
    if open_:
        named = ", ".join(sorted(unit.name for unit in open_)[:_NAMED])
        yield Finding(
            where=open_[0].where,
            message=f"{len(open_)} of {len(units)} containers have no limit of memory: {named}"
            + (", ..." if len(open_) > _NAMED else ""),
            help="write mem_limit: 256m, or deploy: resources: limits: memory: 256M",
            severity="info",
        )


def _amount(text: str) -> float:
    found = _QUANTITY.fullmatch(text)
    return float(found[1]) * _SHARES[found[2] or ""] if found else 0.0


RULE = Rule(
    code="SH701",
    name="size-missing",
    severity="warning",
    summary="a container has no limits, or a service asks for more than a machine has",
    page=__doc__,
    find=find,
    options=Options,
    answers=("Right-sized containers",),
    needs=frozenset({"sizes"}),
)
