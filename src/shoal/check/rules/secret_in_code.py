"""A secret stands in the source.

## What it does

Looks in the author's source for texts that are secrets by their form: private keys, keys of Amazon, Google, GitHub,
Slack, Stripe and SendGrid, tokens, addresses with a password; for `Secret("...")` with a text of its own, such as a
default of a setting; and for texts of eight characters or more, with a digit, that are given to what is called a
password, a token or a key: a name, a parameter, a key of a `dict` or of `os.environ.get`. The text itself is never
shown.

## Why

What is in the source is in every copy of it, in every image and in the history for good. Renewing it takes a release,
and a test environment has the same one as production.

## Bad

```python
from shoal import Secret, Service, Settings, System


class Mailing(Settings):
    password: Secret = Secret("hunter2-for-all")  # <- SH403


mails = Service("mails", settings=Mailing)
system = System("office", services=[mails])
```

## Good

```python
from shoal import Secret, Service, Settings, System


class Mailing(Settings):
    password: Secret


mails = Service("mails", settings=Mailing)
system = System("office", services=[mails])
```
"""

import ast
import re
from collections.abc import Iterator

from shoal.check.confidential import formed, told
from shoal.check.finding import Finding
from shoal.check.rule import Nothing, Rule
from shoal.check.source import Module
from shoal.check.subject import Subject

MADE = re.compile(r"(?=\S*\d)\S{8,}")
"""What somebody made up, or a program: not a word, and not the name of something."""

ASKING = frozenset({"get", "getenv", "setdefault", "pop"})
"""Methods that are told what to give where nothing is said."""


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find texts that are secrets."""
    for module in subject.source.modules:
        for text in module.every(ast.Constant):
            if isinstance(text.value, str) and (what := formed(text.value)):
                yield _finding(module, text, what)
    for module, call in subject.source.called.get("shoal.Secret", ()):
        said = call.args[0] if call.args else None
        if isinstance(said, ast.Constant) and said.value and not formed(str(said.value)):
            yield _finding(module, said, "a secret")
    for module in subject.source.modules:
        for name, given, value in _given(module):
            if MADE.fullmatch(given) and not formed(given) and told(name, given):
                yield _finding(module, value, f"what {name} is given")


def _given(module: Module) -> Iterator[tuple[str, str, ast.Constant]]:
    """List the texts that names, fields, arguments, parameters and keys are given."""
    for name, value in _pairs(module):
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield name, value.value, value


def _pairs(module: Module) -> Iterator[tuple[str, ast.expr | None]]:
    said = [(target, node.value) for node in module.every(ast.Assign) for target in node.targets]
    said += [(node.target, node.value) for node in module.every(ast.AnnAssign) if node.value]
    yield from ((_called(target), value) for target, value in said)
    yield from ((word.arg, word.value) for word in module.every(ast.keyword) if word.arg)
    for made in module.every(ast.Dict):
        yield from ((_text(key), value) for key, value in zip(made.keys, made.values, strict=True))
    for taken in module.every(ast.arguments):
        several = [*taken.posonlyargs, *taken.args]
        yield from ((a.arg, v) for a, v in zip(reversed(several), reversed(taken.defaults), strict=False))
        yield from ((a.arg, v) for a, v in zip(taken.kwonlyargs, taken.kw_defaults, strict=True))
    for call in module.every(ast.Call):  # os.environ.get("API_KEY", "...")
        asks = isinstance(call.func, ast.Attribute) and call.func.attr in ASKING and len(call.args) > 1
        yield from [(_text(call.args[0]), call.args[1])] if asks else ()


def _called(target: ast.expr) -> str:
    """Say what something is bound to: a name, an attribute, a key; empty for anything else."""
    if isinstance(target, ast.Subscript):
        return _text(target.slice)
    return target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""


def _text(key: ast.expr | None) -> str:
    return key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""


def _finding(module: Module, node: ast.expr, what: str) -> Finding:
    return Finding(
        where=module.head(node),
        message=f"{what} stands in the source",
        hidden=True,
        help="take it out, read it from the environment by a setting of type Secret, and renew it: it is in every"
        " copy of the history",
    )


RULE = Rule(
    code="SH403",
    name="secret-in-code",
    severity="error",
    summary="a secret stands in the source",
    page=__doc__,
    find=find,
    answers=("Secrets",),
    needs=frozenset({"source"}),
)
