"""Every pod of the cluster may reach every service.

## What it does

Looks in files of Kubernetes for namespaces in which services or engines run and to which no `NetworkPolicy` (of
Kubernetes, Cilium or Calico) and no `AuthorizationPolicy` of a mesh belongs.

## Why

In a cluster everybody reaches everybody where nothing is said. Whoever gets into one pod, a test or a forgotten tool,
asks each service and tries each database from there. What `shoal deploy` writes lets in who declares a call, and nobody
else.

## Bad

```yaml title="k8s/prices.yaml"
apiVersion: apps/v1
kind: Deployment  # <- SH412
metadata:
  name: prices
spec:
  template:
    spec:
      containers:
        - name: prices
          image: registry.example/prices:1
```

## Good

```yaml title="k8s/prices.yaml"
apiVersion: apps/v1
kind: Deployment
metadata:
  name: prices
spec:
  template:
    metadata:
      labels:
        app: prices
    spec:
      containers:
        - name: prices
          image: registry.example/prices:1
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: nobody-unless-said
spec:
  podSelector: {}
  policyTypes: [Ingress]
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.importing.facts import Unit
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject

_LOOK_ON = frozenset({"aside", "visitor"})


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find namespaces without any policy; a finding for each."""
    if subject.imported is None:
        return
    spaces: dict[str, list[Unit]] = {}
    for unit in subject.imported.units:
        if unit.form == "kubernetes" and unit.role not in _LOOK_ON:
            spaces.setdefault(unit.scope, []).append(unit)
    for space, units in spaces.items():
        if space not in subject.imported.guarded:
            yield Finding(
                where=units[0].where,
                message=f"no policy says who may reach whom in the namespace {space or 'default'}",
                impact=f"any pod of the cluster reaches all {len(units)} things that run there",
                help="deny by a NetworkPolicy with podSelector: {} and policyTypes: [Ingress], and let in who calls",
            )


RULE = Rule(
    code="SH412",
    name="network-open",
    severity="info",
    summary="every pod of the cluster may reach every service",
    page=__doc__,
    find=find,
    answers=("Network",),
    needs=frozenset({"manifests"}),
)
