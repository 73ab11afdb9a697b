"""Nobody says when a service can be asked.

## What it does

Looks in files of Kubernetes for services whose pods get requests by a `Service` and have no container with a
`readinessProbe`. Engines are left out: who asks one that does not answer yet, waits anyway.

## Why

Without it a pod gets requests from the moment that its process begins, and goes on getting them while it cannot answer:
each release loses requests, and a replica that hangs is asked as long as it hangs. What `shoal deploy` writes has
probes.

## Bad

```yaml title="k8s/prices.yaml"
apiVersion: v1
kind: Service
metadata:
  name: prices
spec:
  selector:
    app: prices
  ports:
    - port: 80
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: prices
spec:
  replicas: 2
  template:
    metadata:
      labels:
        app: prices
    spec:
      containers:
        - name: prices  # <- SH309
          image: registry.example/prices:1
```

## Good

```yaml title="k8s/prices.yaml"
apiVersion: v1
kind: Service
metadata:
  name: prices
spec:
  selector:
    app: prices
  ports:
    - port: 80
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: prices
spec:
  replicas: 2
  template:
    metadata:
      labels:
        app: prices
    spec:
      containers:
        - name: prices
          image: registry.example/prices:1
          readinessProbe:
            httpGet:
              path: /ready
              port: 80
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find pods that get requests as soon as they begin."""
    for unit in subject.imported.units if subject.imported is not None else ():
        if unit.asked and unit.role == "service" and all(container.ready is False for container in unit.containers):
            yield Finding(
                where=unit.containers[0].where,
                message=f"{unit.kind} {unit.name} does not say when it can be asked: no readinessProbe",
                impact="each release, and each replica that hangs, loses requests",
                help="add readinessProbe: httpGet, grpc or tcpSocket, with the port that it listens to",
            )


RULE = Rule(
    code="SH309",
    name="probe-missing",
    severity="warning",
    summary="nobody says when a service can be asked",
    page=__doc__,
    find=find,
    needs=frozenset({"manifests"}),
)
