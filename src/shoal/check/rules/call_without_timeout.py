"""Something outside is asked without a limit of time.

## What it does

Looks in the author's source for requests and connections that wait for ever when nothing is said: `requests` and its
sessions, `urllib.request.urlopen`, `socket.create_connection`, `smtplib`, `ftplib`, `http.client`, `timeout=None` of
`httpx` and `aiohttp`, an `httpx.Timeout(None)`, and an `aiohttp.ClientTimeout` without `total` or `sock_read`. A
session of `aiohttp` that is told nothing waits five minutes, which is a warning. Calls between services have a limit
without being told.

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
from shoal.check.source import Module, Source
from shoal.check.subject import Subject
from shoal.model.finding import Severity

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

LIMITS = {"aiohttp.ClientTimeout": frozenset({"total", "sock_read"}), "httpx.Timeout": frozenset({"timeout", "read"})}
"""What waits for ever unless one of these is a number, of which the first comes first (aiohttp, "Client Quickstart",
"Timeouts"; httpx, "Timeouts")."""

SESSIONS = frozenset({"requests.Session", "requests.session", "requests.sessions.Session"})
"""What asks without a limit, each time."""

PATIENT = frozenset({"aiohttp.ClientSession", "aiohttp.request"})
"""Calls that wait five minutes when nothing is said."""


def find(subject: Subject, _: Nothing) -> Iterator[Finding]:
    """Find the calls that may wait for ever."""
    for name, calls in subject.source.called.items():
        for module, call in calls:
            if name in LIMITS and _limits_nothing(call, LIMITS[name]):
                limit = "total=2.0" if name.startswith("aiohttp") else "httpx.Timeout(2.0)"
                yield _finding(module, call, f"{name} sets no limit, so who uses it waits for ever", limit)
            elif _waits(name, call):
                yield _finding(module, call, f"{name} waits for ever when nobody answers", "timeout=2.0")
            elif name in PATIENT and not {"timeout", None} & {word.arg for word in call.keywords}:
                help_ = "timeout=aiohttp.ClientTimeout(total=2.0)"
                yield _finding(module, call, f"{name} waits five minutes when nobody answers", help_, "warning")

    yield from _sessions(subject.source)


def _sessions(source: Source) -> Iterator[Finding]:
    """Find what is asked by sessions of requests, which have no limit of their own."""
    if not any(name.partition(".")[0] == "requests" for module in source.modules for name in module.imported.values()):
        return
    for function in source.functions:
        for node, _ in function.body:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                name = f"requests.{node.func.attr}"
                endless = name in ENDLESS and _waits(name, node)
                if endless and source.maker(function, node.func.value) in SESSIONS:
                    message = f"requests.Session.{node.func.attr} waits for ever when nobody answers"
                    yield _finding(function.module, node, message, "timeout=2.0")


def _limits_nothing(call: ast.Call, limiting: frozenset[str]) -> bool:
    """Tell whether a limit is none."""
    said = {word.arg: word.value for word in call.keywords}
    if None in said or any(isinstance(arg, ast.Starred) for arg in call.args):  # **options may say it
        return False
    limits = [*call.args[:1], *(value for name, value in said.items() if name in limiting)]
    return all(isinstance(limit, ast.Constant) and limit.value is None for limit in limits)


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


def _finding(module: Module, call: ast.Call, message: str, limit: str, severity: Severity | None = None) -> Finding:
    lasting = "until the process ends" if severity is None else "meanwhile"
    return Finding(
        where=module.head(call),
        message=message,
        impact=f"each request that meets it keeps its connection and its transaction {lasting}",
        help=f"say how long: {limit}",
        severity=severity,
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
