"""A secret stands in the source.

## What it does

Looks in the author's source for texts that are secrets by their form: private keys, keys of Amazon, Google, GitHub,
Slack, Stripe and SendGrid, tokens, addresses with a password; and for `Secret("...")` with a text of its own, such as
a default of a setting. The text itself is never shown.

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

from shoal.check.finding import Finding
from shoal.check.rule import Nothing, Rule
from shoal.check.source import Module
from shoal.check.subject import Subject

FORMS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----")),
    ("a key of Amazon", re.compile(r"\bA[KS]IA[0-9A-Z]{16}\b")),
    ("a key of Google", re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b")),
    ("a token of GitHub", re.compile(r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{22,})")),
    ("a token of Slack", re.compile(r"\bxox[abpr]-[0-9A-Za-z-]{10,}")),
    ("a key of Stripe", re.compile(r"\b[rs]k_live_[0-9A-Za-z]{16,}")),
    ("a key of SendGrid", re.compile(r"\bSG\.[\w-]{22}\.[\w-]{43}(?![\w-])")),
    ("a signed token", re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")),
    ("an address with a password", re.compile(r"\w+://[^\s:/@{}]+:[^\s:/@{}]{3,}@[^\s/@]+")),
)
"""What a text is taken for, and how it is known."""


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find texts that are secrets."""
    for module in subject.source.modules:
        for text in module.every(ast.Constant):
            if isinstance(text.value, str) and (what := _known(text.value)):
                yield _finding(module, text, what)
    for module, call in subject.source.called.get("shoal.Secret", ()):
        said = call.args[0] if call.args else None
        if isinstance(said, ast.Constant) and said.value and not _known(str(said.value)):
            yield _finding(module, said, "a secret")


def _known(text: str) -> str:
    return next((what for what, form in FORMS if form.search(text)), "")


def _finding(module: Module, node: ast.expr, what: str) -> Finding:
    return Finding(
        where=module.head(node),
        message=f"{what} stands in the source",
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
