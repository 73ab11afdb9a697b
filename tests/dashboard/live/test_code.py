"""The author's code is shown around the places that declarations name, and nothing else is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shoal.dashboard.live import code
from shoal.dashboard.live.running import Live
from shoal.errors import Problem
from shoal.operating import project
from shoal.operating.where import Project

KIOSK = '''# -*- coding: latin-1 -*-
"""A kiosk."""

from shoal import Service, System, anyone

kiosk = Service("kiosk")


@kiosk.get("/cafe", access=anyone)  # caf\xe9
async def cafe() -> str:
    return "one"


system = System("corner", services=[kiosk])
'''


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    (tmp_path / "corner_kiosk.py").write_text(KIOSK, "latin-1")
    monkeypatch.syspath_prepend(tmp_path)
    where = Project(root=tmp_path, system="corner_kiosk:system")
    yield Live(where=where)
    project.forget(where, project.read(where))


async def test_the_lines_around_a_declaration_are_shown(live: Live) -> None:
    (service,) = (await live.system()).services
    (endpoint,) = service.endpoints
    found = await code.excerpt(live, endpoint.source)
    assert found.path == "corner_kiosk.py"
    assert found.first == found.line - code.BEFORE
    assert found.lines[found.line - found.first].startswith(("@kiosk.get", "async def cafe"))
    assert '@kiosk.get("/cafe", access=anyone)  # café' in found.lines
    assert (await code.excerpt(live, "corner_kiosk.py:9999")).lines[-1] == 'system = System("corner", services=[kiosk])'


@pytest.mark.parametrize(
    "place",
    [
        "corner_kiosk.py", "corner_kiosk.py:x", "corner_kiosk.py:-1", "corner_kiosk:1", ":1", "", "json/__init__.py:1",
        "os.py:1", "../corner_kiosk.py:1", "/etc/passwd:1", "nothing.py:1", "corner_kiosk.py:²",
    ],
)  # fmt: skip
async def test_what_is_no_place_in_it_is_refused_with_what_one_looks_like(live: Live, place: str) -> None:
    with pytest.raises(Problem) as refused:
        await code.excerpt(live, place)
    assert refused.value.status == 404
    assert "such as" in str(refused.value.extra["hint"])
