"""``shoal notices`` and ``shoal objectives`` say what a recorded run tells, and by their exit code how bad it is."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shoal.cli.program import main
from shoal.dashboard.store.runs import folder_of
from tests.dashboard.notices.recorded import START, Run

Invoke = Callable[..., tuple[int, str, str]]


@pytest.fixture(name="invoke")
def _invoke(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Invoke:
    def invoke(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["-C", str(tmp_path), *arguments])
        said = capsys.readouterr()
        return int(str(ended.value.code)), said.out, said.err

    return invoke


@pytest.fixture(name="run")
def _run(tmp_path: Path) -> Iterator[Run]:
    folder = folder_of(tmp_path)
    folder.mkdir(parents=True)
    made = Run(folder)
    yield made
    made.writer.close()


def test_a_run_in_which_a_budget_burns(run: Run, invoke: Invoke) -> None:
    run.promise(START)
    run.count(START + 1, 90, 10)
    run.span(START + 1, error="no order 17")
    run.look(START + 2)
    code, out, _ = invoke("notices")
    assert code == 1
    assert "orders.place_order breaks its promise of 99.9 % without failure over 30d: 10 requests were bad" in out
    assert "orders failed in a new way, once: KeyError: no order 17" in out
    code, out, _ = invoke("notices", "--rule", "error", "-o", "json")
    (notice,) = json.loads(out)
    assert (code, notice["rule"], notice["until"]) == (0, "error", None)
    code, out, _ = invoke("objectives")
    assert code == 1
    assert [word for word in ("orders.place_order", "90 %", "-9900 %", "100.0!") if word in out] == [
        "orders.place_order",
        "90 %",
        "-9900 %",
        "100.0!",
    ]
    code, out, _ = invoke("objectives", "--json")
    assert json.loads(out)[0]["burns"][0]["sounding"] is True


def test_a_run_in_which_all_is_well(run: Run, invoke: Invoke) -> None:
    run.promise(START)
    run.count(START, 50, 0)
    assert run.look(START + 1) == []
    code, out, err = invoke("notices")
    assert (code, out) == (0, "")
    assert "nothing goes on" in err
    code, out, _ = invoke("objectives")
    assert code == 0
    assert "100 %" in out
    assert json.loads(invoke("objectives", "--service", "web", "--json")[1]) == []


def test_a_project_that_never_ran(tmp_path: Path, invoke: Invoke) -> None:
    for command in ("notices", "objectives"):
        code, out, err = invoke(command)
        assert (code, out) == (3, "")
        assert f"there is no telemetry in {folder_of(tmp_path)}" in err
        assert "shoal run" in err
