"""A metric or a span is called after a value, so that there are names without end.

## What it does

Looks for spans, of OpenTelemetry's API and of `Trace`, whose name is put together with a value, such as `f"order
{order_id}"`, and for labels of metrics whose value is an identifier: `.labels(user_id=...)` and
`.labels(order.user_id)` of Prometheus' client, attributes `{"user.id": ...}` of `add` and `record` of OpenTelemetry's.

## Why

Each combination of labels is a series that is kept for weeks. A label with a hundred thousand values makes a hundred
thousand of them, and the server of metrics runs out of memory. A span with the value in its name can be found with no
other. Values belong into attributes of spans, which are kept once.

## Bad

```python
from opentelemetry import trace

from shoal import Service, System, anyone

tracer = trace.get_tracer(__name__)
orders = Service("orders")


@orders.get("/orders/{order_id}", access=anyone)
async def show(order_id: str) -> str:
    \"\"\"Show an order.\"\"\"
    with tracer.start_as_current_span(f"order {order_id}"):  # <- SH502
        return order_id


system = System("shop", services=[orders])
```

## Good

```python
from opentelemetry import trace

from shoal import Service, System, anyone

tracer = trace.get_tracer(__name__)
orders = Service("orders")


@orders.get("/orders/{order_id}", access=anyone)
async def show(order_id: str) -> str:
    \"\"\"Show an order.\"\"\"
    with tracer.start_as_current_span("show order", attributes={"order.id": order_id}):
        return order_id


system = System("shop", services=[orders])
```
"""

import ast
import re
from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.rule import Nothing, Rule
from shoal.check.source import Module
from shoal.check.subject import Subject

SPANS = frozenset({"start_span", "start_as_current_span", "update_name", "span"})
"""Of OpenTelemetry's tracer, and of `shoal.Trace`."""
COUNTED = frozenset({"add", "record"})
PACKAGES, OWN = ("opentelemetry", "prometheus_client"), "shoal.Trace"
IDENTIFIER = re.compile(r"(?:^|[._])(?:id|uuid|email|token|session|ip|url|path|query)$|[a-z](?:Id|Uuid)$")
"""Ends of names whose values have no end."""


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find names that have no end."""
    for module in subject.source.modules:
        if not any(name.startswith(PACKAGES) or name == OWN for name in module.imported.values()):
            continue
        for call in module.every(ast.Call):
            for node, what in _endless(call):
                yield _finding(module, node, what)


def _endless(call: ast.Call) -> Iterator[tuple[ast.expr, str]]:
    if not isinstance(call.func, ast.Attribute):
        return
    if call.func.attr in SPANS:
        named = [*call.args[:1], *(word.value for word in call.keywords if word.arg == "name")]
        yield from ((name, "a span is called after a value") for name in named if _put_together(name))
    elif call.func.attr == "labels":
        labels = [w for w in call.keywords if w.arg and (IDENTIFIER.search(w.arg) or _endless_name(w.value))]
        yield from ((word.value, f"the label {word.arg} has values without end") for word in labels)
        yield from ((arg, f"the label {_last(arg)} has values without end") for arg in call.args if _endless_name(arg))
    elif call.func.attr in COUNTED:
        dicts = [part for part in (*call.args, *(w.value for w in call.keywords)) if isinstance(part, ast.Dict)]
        for key, value in (pair for part in dicts for pair in zip(part.keys, part.values, strict=True)):
            label = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
            if key is not None and label and (IDENTIFIER.search(label) or _endless_name(value)):
                yield key, f"the label {label} has values without end"


def _last(value: ast.expr) -> str:
    """Return the name of a value, where it has one: ``order.user_id`` is ``user_id``."""
    return value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""


def _endless_name(value: ast.expr) -> bool:
    return IDENTIFIER.search(_last(value)) is not None


def _put_together(name: ast.expr) -> bool:
    if isinstance(name, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in name.values)
    formatted = isinstance(name, ast.Call) and isinstance(name.func, ast.Attribute) and name.func.attr == "format"
    return formatted or isinstance(name, ast.BinOp)


def _finding(module: Module, node: ast.expr, what: str) -> Finding:
    first = "leave it out" if what.startswith("the label") else "give it a name that is always the same"
    return Finding(where=module.head(node), message=what, help=f"{first}, and give the value to an attribute of a span")


RULE = Rule(
    code="SH502",
    name="names-without-end",
    severity="warning",
    summary="a metric or a span is called after a value",
    page=__doc__,
    find=find,
    answers=("Missing observability",),
    needs=frozenset({"source"}),
)
