"""What the reference pages show does what they say."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from shoal.testing import LiveSystem, MemorySystem

DOCS = Path(__file__).parents[2] / "docs"


async def test_a_login_as_the_page_builds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (DOCS / "reference/service.md").read_text("utf-8")
    found = re.search(r'```python title="login"\n(.*?)```', page, re.DOTALL)
    assert found is not None
    module = ModuleType("login_page")
    monkeypatch.setitem(sys.modules, "login_page", module)
    exec(compile(found[1], "login_page.py", "exec"), module.__dict__)  # noqa: S102 - our own page
    running = MemorySystem(module.system, tmp_path)
    await running.start()
    try:
        refused = await running.post("/login", json={"name": "ada", "password": "guess"})
        assert refused.status == 401
        answer = await running.post("/login", json={"name": "ada", "password": "ada!"})
        me = await running.get("/me", token=answer.json()["access_token"])
        assert me.json() == {"subject": "ada", "roles": "reader"}
    finally:
        await running.stop()


def test_everything_of_the_live_fixture_is_described() -> None:
    page = (DOCS / "reference/testing.md").read_text("utf-8")
    public = [name for name in dir(LiveSystem) if not name.startswith("_")]
    assert [name for name in public if not re.search(rf"`[^`]*\b{name}\b", page)] == []
