"""Something outside is asked without a limit of time.

## What it does

Looks in the author's source for requests and connections that wait for ever when nothing is said: `requests`,
`urllib.request.urlopen`, `socket.create_connection`, `smtplib`, `ftplib`, `http.client`, `timeout=None` of `httpx` and
`aiohttp`. Calls between services have a limit without being told.

## Why

An outside system that neither answers nor refuses keeps the handler, its connection and its transaction, until all of
them are taken and the service answers nobody. A limit turns that into an error, which can be tried again or told.

## Bad

```python
import urllib.request

from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> str:
    with urllib.request.urlopen("http://127.0.0.1:9/rates") as answer:  # <- SH301
        return str(answer.read())


system = System("bank", services=[rates])
```

## Good

```python
import urllib.request

from shoal import Service, System, anyone

rates = Service("rates")


@rates.get("/rates", access=anyone)
async def today() -> str:
    with urllib.request.urlopen("http://127.0.0.1:9/rates", timeout=2.0) as answer:
        return str(answer.read())


system = System("bank", services=[rates])
```
"""

import ast
from collections.abc import Iterator

from shoal.check.finding import Finding
from shoal.check.rule import Nothing, Rule
from shoal.check.source import Module
from shoal.check.subject import Subject

ENDLESS: dict[str, int] = {
    **{f"requests.{verb}": 0 for verb in ("get", "post", "put", "patch", "delete", "head", "options", "request")},
    "urllib.request.urlopen": 3,
    "socket.create_connection": 2,
    "smtplib.SMTP": 4,
    "smtplib.SMTP_SSL": 6,
    "ftplib.FTP": 5,
    "http.client.HTTPConnection": 3,
    "http.client.HTTPSConnection": 3,
}
"""Call that waits for ever when nothing is said → how many arguments by position say it; 0 when none can."""

SILENCED = frozenset({"httpx", "aiohttp"})
"""Packages with a limit of their own, which `timeout=None` takes away."""


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find the calls that may wait for ever."""
    for name, calls in subject.source.called.items():
        yield from (_finding(module, call, name) for module, call in calls if _waits(name, call))


def _waits(name: str, call: ast.Call) -> bool:
    said = next((word.value for word in call.keywords if word.arg == "timeout"), None)
    if any(word.arg is None for word in call.keywords):  # **options may say it
        return False
    if isinstance(said, ast.Constant) and said.value is None:
        return name in ENDLESS or name.partition(".")[0] in SILENCED
    if name not in ENDLESS or said is not None:
        return False
    places = ENDLESS[name]
    return not places or len(call.args) < places


def _finding(module: Module, call: ast.Call, name: str) -> Finding:
    return Finding(
        where=module.head(call),
        message=f"{name} waits for ever when nobody answers",
        impact="each request that meets it keeps its connection and its transaction until the process ends",
        help="say how long: timeout=2.0",
    )


RULE = Rule(
    code="SH301",
    name="call-without-timeout",
    severity="error",
    summary="something outside is asked without a limit of time",
    page=__doc__,
    find=find,
    answers=("No circuit breakers",),
    needs=frozenset({"source"}),
)
