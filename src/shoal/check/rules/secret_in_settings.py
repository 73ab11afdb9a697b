"""A secret stands in a file that says how a system runs.

## What it does

Looks in files of Compose and Kubernetes for settings that are secrets: by what they are called, such as
`DB_PASSWORD`, or by their form, such as an address with a password; for options of commands, such as
`--password=...`; for values of a `Secret`, which are in Base64 and open to everybody; and for such keys in a
`ConfigMap`. What is read from elsewhere is none: a variable (`${NAME}`, also with a default), a file, a reference to a
secret. The secret itself is never shown.

## Why

What stands in a file is in every copy of the repository and in its history for good. Renewing it is a change of the
file, so nobody renews it, and a test has the same one as production.

## Bad

```yaml title="compose.yaml"
services:
  prices:
    image: registry.example/prices:1
    environment:
      DATABASE_URL: postgres://prices:hunter2@database/prices  # <- SH410
  database:
    image: postgres:18
    environment:
      POSTGRES_PASSWORD: hunter2  # <- SH410
```

```yaml title="k8s/prices.yaml"
apiVersion: v1
kind: Secret  # <- SH410
metadata:
  name: prices
data:
  password: aHVudGVyMg==
```

## Good

```yaml title="compose.yaml"
services:
  prices:
    image: registry.example/prices:1
    environment:
      DATABASE_URL: postgres://prices:${PASSWORD:?}@database/prices
  database:
    image: postgres:18
    environment:
      POSTGRES_PASSWORD_FILE: /run/secrets/password
```
"""

from collections.abc import Iterator

from shoal.check.confidential import stands_in
from shoal.check.finding import Finding, Place
from shoal.check.importing.facts import Facts, Form, Kept
from shoal.check.importing.secrets import Secret, of_kept, secrets
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject

_ELSEWHERE: dict[Form, str] = {
    "compose": "read it from who starts it: ${NAME:?}, or from a file that secrets: names, and renew it",
    "kubernetes": "take it from a Secret that is made elsewhere: valueFrom: secretKeyRef; and renew it",
}


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find settings and objects that hold secrets."""
    if subject.imported is not None:
        yield from _told(subject.imported)
        yield from _kept(subject.imported)


def _told(facts: Facts) -> Iterator[Finding]:
    """Find what containers are told; a finding for each place, which several of them may share."""
    found: dict[tuple[Secret, Form], dict[str, None]] = {}
    for unit in facts.units:
        for container in (*unit.containers, *unit.preparing):
            for secret in secrets(container):
                found.setdefault((secret, unit.form), {})[unit.name] = None
    for (secret, form), units in found.items():
        *others, last = units
        yield Finding(
            where=secret.where,
            message=f"{secret.what} stands in the file: {secret.name} of "
            + (f"{', '.join(others)} and {last}" if others else last),
            help=_ELSEWHERE[form],
            hidden=True,
        )


def _kept(facts: Facts) -> Iterator[Finding]:
    """Find objects whose values are open: a finding for each secret, and for each such key of a map of settings."""
    seen: set[Place] = set()
    for value in facts.kept:
        if value.kind == "Secret" and not value.sealed and not stands_in(value.value) and value.object not in seen:
            seen.add(value.object)
            yield _finding(value, f"the values of Secret {value.name} stand in the file, and Base64 hides nothing")
        elif what := of_kept(value):
            yield _finding(value, f"{what} stands in the file: {value.key} of ConfigMap {value.name}")


def _finding(value: Kept, message: str) -> Finding:
    return Finding(
        where=value.where if value.kind == "ConfigMap" else value.object,
        message=message,
        help="let something else make it (External Secrets, Sealed Secrets, SOPS), and renew it",
        hidden=value.kind == "ConfigMap",
    )


RULE = Rule(
    code="SH410",
    name="secret-in-settings",
    severity="error",
    summary="a secret stands in a file that says how a system runs",
    page=__doc__,
    find=find,
    answers=("Secrets",),
    needs=frozenset({"values"}),
)
