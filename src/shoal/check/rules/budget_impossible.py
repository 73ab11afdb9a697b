"""A disruption budget lets no replica go.

## What it does

Looks for budgets (`PodDisruptionBudget`) in manifests beside the system that can never be met: none may be away, all
have to stay, or as many have to stay as the Deployment of the same name has. Those that `shoal deploy kubernetes`
writes let one replica go.

## Why

A node cannot be drained, so an upgrade of the cluster waits for ever, until somebody removes the budget in a hurry, and
with it what it was to protect.

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

```yaml title="kubernetes/rates.yaml"
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: rates
spec:
  minAvailable: 1  # <- SH702
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: rates
spec:
  replicas: 1
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

```yaml title="kubernetes/rates.yaml"
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: rates
spec:
  maxUnavailable: 1
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: rates
spec:
  replicas: 2
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.manifests import Document, documents
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject

_KEPT = frozenset({"Deployment", "StatefulSet"})


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find budgets that cannot be met."""
    every = list(documents(subject.files))
    replicas = {document.name: _replicas(document) for document in every if document.kind in _KEPT}
    for document in every:
        if document.kind != "PodDisruptionBudget":
            continue
        most, least = document.said("maxUnavailable"), document.said("minAvailable")
        if most is not None and most.value in ("0", "0%"):
            where, why = most.where, "none may be away"
        elif least is not None and least.value == "100%":
            where, why = least.where, "all have to stay"
        elif least is not None and least.value.isdigit() and 0 < replicas.get(document.name, 0) <= int(least.value):
            where, why = least.where, f"{least.value} of {replicas[document.name]} have to stay"
        else:
            continue
        yield Finding(
            where=where,
            message=f"the disruption budget {document.name} lets no replica go: {why}",
            impact="no node on which one of them is can be drained",
            help="write maxUnavailable: 1, and have two replicas at least",
        )


def _replicas(document: Document) -> int:
    """Say how many replicas an object has: one, where nothing is said."""
    said = document.said("replicas")
    if said is None:
        return 1
    return int(said.value) if said.value.isdigit() else 0


RULE = Rule(
    code="SH702",
    name="budget-impossible",
    severity="warning",
    summary="a disruption budget lets no replica go",
    page=__doc__,
    find=find,
    needs=frozenset({"objects"}),
)
