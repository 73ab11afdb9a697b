"""How much clients may ask for, and for how long: what bounds it, wherever that is said."""

from pathlib import Path

import pytest

from tests.check.projects import found, report_of

SYSTEM = """
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec

from shoal import (
    Issuer, PageRequest, Postgres, RateLimit, Service, System, Transaction, Update, Watch, anyone, event, internal,
    record, role, signed_in,
)


@event("tasks.done", key="task_id")
class Done(msgspec.Struct, frozen=True):
    task_id: str


@record("tasks", key="task_id")
class Task(msgspec.Struct, frozen=True):
    task_id: str


tasks = Service("tasks", store=Postgres(), publishes=[Done])


@tasks.post("/tasks", access=internal)
async def done(tx: Transaction) -> None:
    tx.publish(Done(task_id="1"))


{code}

system = System("office", services=[tasks], issuer=Issuer(tasks, audience="office"))
"""


def codes(root: Path, code: str, only: str) -> list[str]:
    report = report_of(root, {"system.py": SYSTEM.replace("{code}", code)}, only)
    return [one for one, _ in found(report)]


LIST = """
@tasks.get("/tasks", access={access})
async def newest(tx: Transaction, {size}) -> list[Task]:
    {body}
"""
FIND = 'return await tx.find(Task, order=["-task_id"], limit=limit)'


@pytest.mark.parametrize(
    ("access", "size", "body", "seen"),
    [
        ("anyone", "limit: int = 20", FIND, True),
        ("signed_in", "limit: int = 20", FIND, True),
        ("anyone", "limit: int | None = None", FIND, True),
        ("anyone", "limit: Annotated[int, msgspec.Meta(ge=1)] = 20", FIND, True),
        ("anyone", "limit: Annotated[int, msgspec.Meta(le=100)] = 20", FIND, False),
        ("anyone", "limit: Annotated[int, msgspec.Meta(lt=100)] = 20", FIND, False),
        ("internal", "limit: int = 20", FIND, False),
        ('role("staff")', "limit: int = 20", FIND, False),
        ("anyone", "limit: int = 20", FIND.replace("=limit)", "=min(limit, 100))"), False),
        ("anyone", "limit: int = 20", f"limit = min(limit, 100)\n    {FIND}", False),
        ("anyone", "limit: int = 20", FIND.replace("=limit)", "=20)"), False),
        ("anyone", "page: PageRequest", FIND.replace("=limit)", "=page.limit)"), False),
        ("anyone", "limit: int = 20", "return [Task(task_id=str(limit))]", False),
    ],
)  # fmt: skip
def test_sizes_that_clients_say(tmp_path: Path, access: str, size: str, body: str, *, seen: bool) -> None:
    code = LIST.format(access=access, size=size, body=body)
    assert codes(tmp_path, code, "SH310") == (["SH310"] if seen else [])


FOLLOW = """
@tasks.stream("/tasks/{task_id}/events", on=[Done], {options})
async def follow(task_id: str, watch: Watch) -> AsyncIterator[Update[Task]]:
    async def read(tx: Transaction) -> Task:
        return await tx.require(Task, task_id)

    async for one in watch(read):
        yield Update(data=one, id="1", event="done")
"""
LIMIT = 'limit=RateLimit(requests=1, burst=2, by="address")'


@pytest.mark.parametrize(
    ("options", "seen"), [("access=anyone", True), ("access=signed_in", False), (f"access=anyone, {LIMIT}", False)]
)
def test_connections_that_anybody_may_keep(tmp_path: Path, options: str, *, seen: bool) -> None:
    assert codes(tmp_path, FOLLOW.replace("{options}", options), "SH307") == (["SH307"] if seen else [])
