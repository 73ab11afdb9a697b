"""A public operation does not say what it does.

## What it does

Looks for operations that the gateway serves and whose handler has no docstring. Its first line becomes the summary in
the OpenAPI document, in the explorer of the dashboard and in `shoal describe`.

## Why

Whoever calls it from outside has nothing but the contract. Without a sentence they guess from the name, and rely on
what they guessed.

## Bad

```python
from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates/{currency}", access=anyone)  # <- SH603
async def rate(currency: str) -> str:
    return "1.08"


system = System("bank", services=[rates])
```

## Good

```python
from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates/{currency}", access=anyone)
async def rate(currency: str) -> str:
    \"\"\"Dollars for one unit of a currency, at noon of the last working day.\"\"\"
    return "1.08"


system = System("bank", services=[rates])
```
"""

from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.importing.facts import Facts
from shoal.check.rule import Nothing, Rule
from shoal.check.subject import Subject


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find public operations without a summary."""
    if subject.imported is not None:
        yield from _imported(subject.imported)
        return
    for service in subject.system.services:
        for endpoint in service.endpoints:
            if endpoint.exposed and not endpoint.summary.strip():
                yield Finding(
                    where=subject.place(endpoint.source),
                    message=f"{endpoint.method} {endpoint.public} is public and says nowhere what it does",
                    help="begin its handler with a docstring",
                )


def _imported(facts: Facts) -> Iterator[Finding]:
    for operation in facts.operations:
        if not operation.summary.strip():
            yield Finding(
                where=operation.where,
                message=f"{operation.method} {operation.path} of {operation.service} says nowhere what it does",
                help="write a summary",
            )


RULE = Rule(
    code="SH603",
    name="operation-undocumented",
    severity="info",
    summary="a public operation does not say what it does",
    page=__doc__,
    find=find,
    needs=frozenset({"operations"}),
)
