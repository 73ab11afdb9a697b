"""What a run has seen against what is declared: what comes near a mistake, and what is one."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from shoal.check import permissions
from shoal.check.observed import Observed
from shoal.cli.checking.check import Check
from shoal.operating.where import Project
from tests.check.projects import importing, report_of, written

SYSTEM = """
from typing import Protocol

import msgspec

from shoal import External, Postgres, Service, System, anyone, contract, event, get, internal


@event("users.joined", key="id")
class Joined(msgspec.Struct):
    id: str


@contract("users")
class UsersApi(Protocol):
    @get("/names/{id}", access=internal)
    async def name(self, id: str) -> str: ...

    @get("/count", access=internal)
    async def count(self) -> int: ...


POST = External(name="post", protocol="smtp", setting="smtp_url")
users = Service("users", store=Postgres(), publishes=[Joined])
orders = Service("orders", store=Postgres())
mails = Service("mails", store=Postgres(), externals=["post"])


@users.implements(UsersApi.name)
async def name(id: str) -> str:
    return id


@users.implements(UsersApi.count)
async def count() -> int:
    return 0


@orders.get("/orders", access=anyone)
async def show(users: UsersApi) -> str:
    return await users.name("a")


@mails.on(Joined)
async def greet(event: Joined) -> None: ...


system = System("shop", services=[users, orders, mails], externals=[POST])
"""


def files(**seen: Any) -> dict[str, str]:
    return {"system.py": SYSTEM, "observed.json": msgspec.json.encode({"run": "run 3", **seen}).decode()}


def call(caller: str, callee: str, endpoint: str = "") -> dict[str, Any]:
    return {"caller": caller, "callee": callee, "endpoint": endpoint, "count": 2}


def messages(root: Path, *only: str, **seen: Any) -> list[str]:
    return [found.message for found in report_of(root, files(**seen), "SH0", *only).findings]


@pytest.mark.parametrize(
    ("caller", "callee", "endpoint", "said"),
    [
        ("orders", "users", "name", ""),
        ("orders", "users", "GET /names/{id}", ""),
        ("orders", "users", "GET", ""),  # of what exactly nobody knows, and it may ask for something there
        ("gateway", "orders", "GET /orders", ""),
        ("orders", "orders", "show", ""),
        ("mails", "post", "send", ""),
        ("mails", "10.0.0.9", "GET", ""),  # by the address of what is outside
        ("mails", "users", "GET", "mails calls users.GET, and does not declare it: 2 times in run 3"),
        ("mails", "users", "GET /count", "mails calls users.count, and does not declare it: 2 times in run 3"),
        ("gateway", "users", "name", "gateway calls users.name, and does not declare it: 2 times in run 3"),
        ("stranger", "users", "name", "stranger calls users.name, and does not declare it: 2 times in run 3"),
        (
            "orders",
            "api.example",
            "GET",
            "orders calls api.example, which is neither a service nor declared outside: 2 times in run 3",
        ),
        (
            "mails",
            "gateway",
            "GET /orders",
            "mails calls gateway, which is neither a service nor declared outside: 2 times in run 3",
        ),
    ],
)
def test_calls(tmp_path: Path, caller: str, callee: str, endpoint: str, said: str) -> None:
    assert messages(tmp_path, "SH407", calls=[call(caller, callee, endpoint)]) == ([said] if said else [])


@pytest.mark.parametrize(("within", "line"), [("mails.greet", 44), ("mails.gone", 26), ("", 26)])
def test_a_call_is_found_where_the_handler_is_that_made_it(tmp_path: Path, within: str, line: int) -> None:
    made = files(calls=[call("mails", "users", "GET") | {"within": within}])
    assert [found.where.line for found in report_of(tmp_path, made, "SH407").findings] == [line]
    lines = SYSTEM.splitlines()
    assert (lines[43], lines[25].partition(" ")[0]) == ("@mails.on(Joined)", "mails")


@pytest.mark.parametrize(
    ("producer", "consumer", "said"),
    [
        ("users", "mails", []),
        ("users", "", []),
        ("users", "orders", ["orders hears users.joined.v1, and does not subscribe to it: 2 times in run 3"]),
        ("orders", "mails", ["orders announces users.joined.v1, and does not publish it: 2 times in run 3"]),
    ],
)
def test_events(tmp_path: Path, producer: str, consumer: str, said: list[str]) -> None:
    event = {"event": "users.joined.v1", "producer": producer, "consumer": consumer, "count": 2}
    assert messages(tmp_path, "SH407", events=[event]) == said


@pytest.mark.parametrize(
    ("session", "said"),
    [
        ({"database": "users", "role": "users"}, []),
        ({"database": "users", "role": "postgres"}, []),  # whoever runs the server
        ({"database": "postgres", "role": "users"}, []),
        ({"database": "users", "role": "orders"}, ["orders was seen in the database of users"]),
        (
            {"database": "users", "role": "", "service": "orders", "tables": ["people"]},
            ["orders was seen in the database of users, where it uses people"],
        ),
    ],
)
def test_sessions(tmp_path: Path, session: dict[str, Any], said: list[str]) -> None:
    assert messages(tmp_path, "SH407", "SH202", sessions=[session]) == said, "by one rule"


def test_what_is_unused_is_listed_of_services_that_did_something(tmp_path: Path) -> None:
    assert messages(tmp_path, "SH408") == []
    assert messages(tmp_path, "SH408", calls=[call("gateway", "orders", "show")]) == []
    shown = {"service": "orders", "endpoint": "show", "count": 1}
    assert messages(tmp_path, "SH408", operations=[shown]) == [
        "orders may call users.count, and did not in run 3 (0 s)",
        "orders may call users.name, and did not in run 3 (0 s)",
    ]
    assert messages(tmp_path, "SH408", calls=[call("orders", "users", "name"), call("orders", "users", "count")]) == []
    heard = {"service": "mails", "endpoint": "any", "count": 1}
    assert messages(tmp_path, "SH408", operations=[heard]) == ["mails may call post, and did not in run 3 (0 s)"]


def test_the_policy_that_is_left_is_a_diff(tmp_path: Path) -> None:
    with importing(written(tmp_path, files())):
        check = Check(Project(root=tmp_path))
        check.run()
        assert check.subject is not None
        seen = msgspec.convert({"run": "run 3", "calls": [call("orders", "users", "name")]}, Observed)
        text = permissions.policy(check.subject.system, seen)
    changed = [line for line in text.splitlines() if line[0] in "+-"]
    assert changed == ["--- shop: declared", "+++ shop: used in run 3", "-allow orders to call users.count"]


def test_what_a_run_did_without_being_allowed_is_no_part_of_the_policy(tmp_path: Path) -> None:
    with importing(written(tmp_path, files())):
        check = Check(Project(root=tmp_path))
        check.run()
        assert check.subject is not None
        done = [call("orders", "users", "name"), call("orders", "users", "count"), call("users", "orders", "show")]
        seen = msgspec.convert({"run": "run 3", "calls": done}, Observed)
        diff = permissions.policy(check.subject.system, seen)
    assert "orders.show" not in [line.split()[-1] for line in diff.splitlines() if line.startswith("+")]
