"""A name is longer than the place takes it.

## What it does

Looks at the namespace in a cluster, which is called after system and environment where a file in `targets/` does not
say it, and at the project on Google Cloud. And at objects in manifests beside the system: Services and
namespaces, Deployments, and CronJobs, whose Jobs get a longer name.

## Why

The name is refused at the end of a deployment, after everything before it was made. And what has once been made under a
name keeps it.

## Bad

```python
from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> list[str]:
    \"\"\"What things are worth today.\"\"\"
    return []


system = System("bank-of-the-old-town-and-its-suburbs", services=[rates])
```

```toml title="targets/production.toml"
name = "production-in-the-north-of-europe"  # <- SH705
```

## Good

```python
from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> list[str]:
    \"\"\"What things are worth today.\"\"\"
    return []


system = System("bank-of-the-old-town-and-its-suburbs", services=[rates])
```

```toml title="targets/production.toml"
name = "production-in-the-north-of-europe"
namespace = "bank-production"
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.manifests import documents
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject
from shoal.check.targets import Target, targets

_PROJECT, _NAMESPACE = 30, 63
"""Characters of the id of a project (Google Cloud, "Creating and managing projects") and of a DNS label (RFC 1035)."""

_KINDS = {"Service": 63, "Namespace": 63, "Deployment": 63, "StatefulSet": 52, "CronJob": 52}
"""Characters (Kubernetes, "Object names", "StatefulSets" and "CronJob"): a DNS label, less what pods and Jobs add."""


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find names that are refused."""
    for target in targets(subject.files):
        yield from _of_target(subject.system.name, target)
    for document in documents(subject.files):
        limit, name = _KINDS.get(document.kind), document.said("name")
        if limit and name and "{" not in name.value and len(name.value) > limit:
            yield Finding(
                where=name.where,
                message=f"the name of {document.kind} {name.value} has {len(name.value)} characters of {limit}",
                help="shorten it",
            )


def _of_target(system: str, target: Target) -> Iterator[Finding]:
    what, limit = ("project", _PROJECT) if target.cloud == "gcp" else ("namespace", _NAMESPACE)
    usual = "" if target.cloud else f"{system}-{target.name}"  # a project that nobody names is called so that it fits
    name = str(target.said.get(what, "")) or usual
    if len(name) > limit:
        yield Finding(
            where=target.at(what if target.said.get(what) else "name"),
            message=f"the {what} of {target.name} is {name}: {len(name)} characters of {limit}",
            help=f"say a shorter one: {what} = ...",
        )


RULE = Rule(
    code="SH705",
    name="name-too-long",
    severity="error",
    summary="a name is longer than the place takes it",
    page=__doc__,
    find=find,
    needs=frozenset({"objects"}),
)
