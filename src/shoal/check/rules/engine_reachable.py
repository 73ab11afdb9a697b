"""An engine can be reached from outside.

## What it does

Looks in files of Compose for ports of stores, caches and brokers that are published on all addresses of the machine,
or that are in its network (`network_mode: host`), and in files of Kubernetes for a `LoadBalancer`, a `NodePort` or a
route that leads to one; not where an annotation says that a balancer is for the own network only.

## Why

An engine speaks to whoever finds its port: passwords are tried all night, and a hole in it is open to everybody. Docker
publishes past the rules of the machine's own firewall. Services reach engines by the inner network; people who look
into one have a tunnel.

## Bad

```yaml title="compose.yaml"
services:
  prices:
    image: registry.example/prices:1
  database:
    image: postgres:18
    ports:
      - "5432:5432"  # <- SH411
```

## Good

```yaml title="compose.yaml"
services:
  prices:
    image: registry.example/prices:1
  database:
    image: postgres:18
    ports:
      - "127.0.0.1:5432:5432"
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding, Note
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject

_ENGINES = frozenset({"store", "cache", "broker"})


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find engines with a way in from outside; a finding for each."""
    for unit in subject.imported.units if subject.imported is not None else ():
        if unit.role in _ENGINES and unit.doors:
            first, *others = unit.doors
            yield Finding(
                where=first.where,
                message=f"the {unit.role} {unit.name} can be reached from outside: {first.text}",
                notes=tuple(Note(door.where, f"and by {door.text}") for door in others),
                help=_shut(unit.form, first.text),
            )


def _shut(form: str, port: str) -> str:
    """Say how a port is shut, as its file spells ports."""
    if form != "compose":
        return "write type: ClusterIP, and look into it by kubectl port-forward"
    if port.startswith("network_mode"):
        return "take network_mode: host out, and bind what has to be reached to the machine itself: 127.0.0.1:5432:5432"
    outer, inner = (["", *port.split(":")])[-2:]
    bound = "host_ip: 127.0.0.1" if port.startswith("published:") else f"127.0.0.1:{outer}:{inner}"
    return f"take the port out, or bind it to the machine itself: {bound}"


RULE = Rule(
    code="SH411",
    name="engine-reachable",
    severity="warning",
    summary="an engine can be reached from outside",
    page=__doc__,
    find=find,
    answers=("Network",),
    needs=frozenset({"values"}),
)
