"""What runs recorded, in the terminal: found, drawn, compared, handed on; nothing recorded is said in one line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from shoal.cli.program import main
from shoal.cli.waterfall import critical_path, waterfall
from shoal.dashboard.store import runs
from shoal.dashboard.store.reading import database, trace
from shoal.dashboard.store.records import Point
from shoal.dashboard.store.writer import Writer
from tests.dashboard.telling import NOON, log, resource, span

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the program in an empty folder; returns exit code, output and error output."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")

    def invoke(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["-C", str(tmp_path), *arguments])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return invoke


def _record(root: Path, key: str, *told: object) -> None:
    _, file = runs.begin(runs.folder_of(root), key)
    writer = Writer(file, facts=runs.own_facts("shop", key))
    writer.put([*told])  # type: ignore[list-item]
    writer.close()


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Two runs; in the second, orders became slow and fails."""
    exception = [("exception", NOON, {"exception.type": "Boom", "exception.message": "it broke"})]
    good = [span("orders", "POST /orders", 1, number=1, took=10), log("orders", "placed", trace=1)]
    bad = [
        span("gateway", "POST /orders", 2, number=1, took=200),
        span(
            "orders", "POST /orders", 2, number=2, parent=1, at=5, took=190, failed=True, message="no", events=exception
        ),
        span("orders", "INSERT orders", 2, number=3, parent=2, at=20, took=150, kind="client"),
        span("mails", "process orders.placed.v1", 2, number=4, parent=2, at=300, took=10, kind="consumer"),
        log("orders", "it broke", trace=2, severity=17),
        *(
            Point(resource("orders"), "sold", "{piece}", "sum", True, '{"a": "b"}', NOON + n * 10**6, n * 3.0)
            for n in range(9)
        ),
    ]
    _record(tmp_path, "a", *good)
    _record(tmp_path, "b", *bad)
    return tmp_path


def test_without_any_run_every_command_says_how_to_make_one(run: Run) -> None:
    for words in (("traces",), ("metrics",), ("runs", "diff", "1", "2"), ("logs", "--run", "1")):
        code, out, err = run(*words)
        assert (code, out) == (3, "")
        assert "shoal run" in err
    assert run("runs", "list")[0] == 0


@pytest.mark.usefixtures("recorded")
def test_traces_are_listed_and_one_is_drawn(run: Run) -> None:
    code, out, _ = run("traces")
    assert code == 0
    assert [word in out for word in ("POST /orders", "310.0 ms", "gateway orders mails")] == [True, True, True]
    code, out, _ = run("traces", "0" * 31 + "2")
    lines = out.splitlines()
    assert lines[0] == f"trace {'0' * 31}2  310.0 ms  4 spans  3 services"
    assert [line[:22].rstrip() for line in lines[1:5]] == [
        "● gateway  POST /order",
        "✗ orders     POST /ord",
        "● orders       INSERT",
        "  mails        process",
    ]
    assert "✗ orders  POST /orders  no" in out
    assert "    Boom: it broke" in out
    assert "error  it broke" in out


@pytest.mark.usefixtures("recorded")
def test_traces_are_narrowed_and_told_to_programs(run: Run) -> None:
    def found(*words: str) -> list[int]:
        code, out, _ = run("traces", *words, "-o", "json")
        assert code == 0
        return [int(one["trace_id"], 16) for one in json.loads(out)["items"]]

    assert found("--run", "1") == [1]
    assert found("--error", "--service", "orders", "--slow", "200ms") == [2]
    assert found("--slow", "1s") == found("--service", "users") == found("--text", "nothing") == []
    assert run("traces", "--slow", "fast")[0] == 2
    code, _, err = run("traces", "abcdef")
    assert code == 1
    assert "no trace abcdef is on record" in err
    code, out, _ = run("traces", "2".rjust(32, "0"), "--json")
    assert len(json.loads(out)["spans"]) == 4


def test_what_was_waited_for_is_marked(recorded: Path) -> None:
    with database(runs.find(runs.folder_of(recorded))) as found:
        told = trace(found, "0" * 31 + "2")
    assert told is not None
    assert critical_path(told.spans) == {f"{n:016x}" for n in (1, 2, 3)}
    assert critical_path([]) == set()
    for width in (20, 80, 300):
        assert len(waterfall(told, width)) == 4


def test_parents_that_go_round_are_drawn_all_the_same(tmp_path: Path) -> None:
    _record(tmp_path, "a", *(span("a", f"s{n}", 1, number=n + 1, parent=(n + 1) % 3 + 1) for n in range(3)))
    with database(runs.find(runs.folder_of(tmp_path))) as found:
        told = trace(found, "0" * 31 + "1")
    assert told is not None
    assert len(waterfall(told, 80)) == 3


@pytest.mark.usefixtures("recorded")
def test_logs_of_a_run_and_of_a_trace_come_from_the_record(run: Run) -> None:
    code, out, _ = run("logs", "--run", "1")
    assert (code, "placed" in out, "broke" in out) == (0, True, False)
    code, out, _ = run("logs", "--trace", "2".rjust(32, "0"), "-o", "json")
    assert code == 0
    (line,) = map(json.loads, out.splitlines())
    assert (line["level"], line["message"], line["trace_id"], line["service"]) == (
        "error",
        "it broke",
        "2".rjust(32, "0"),
        "orders",
    )
    assert run("logs", "--run", "2", "--level", "critical")[0] == 1


@pytest.mark.usefixtures("recorded")
def test_metrics_are_listed_and_one_is_shown(run: Run) -> None:
    assert "orders   sold    sum   {piece}  1" in run("metrics")[1]
    code, out, err = run("metrics", "sold")
    assert code == 0
    assert out.splitlines()[1].split()[:4] == ["orders-0", "a=b", "3", "24"]
    assert "sold, a sum in {piece}" in err
    assert json.loads(run("metrics", "sold", "-o", "json")[1])["series"][0]["total"] == 24.0
    assert run("metrics", "nothing")[0] == 1


def test_runs_are_listed_compared_and_handed_on(recorded: Path, run: Run) -> None:
    assert [one["number"] for one in json.loads(run("runs", "list", "-o", "json")[1])["items"]] == [2, 1]
    code, out, _ = run("runs", "diff", "1", "2")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:4]] == ["+", "+", "+"]
    assert "0 % → 100 %" in out
    assert out.splitlines()[-1].split() == ["+", "orders", "no", "0", "→", "1"]
    assert json.loads(run("runs", "diff", "1", "2", "--json")[1])["errors"][0]["change"] == "new"
    file = recorded / "run.shoal"
    assert run("runs", "export", "2", str(file))[0] == 0
    assert run("runs", "export", "2", str(file))[0] == 3
    assert run("runs", "import", str(file))[1] == "run 3\n"
    file.write_bytes(b"rubbish")
    code, _, err = run("runs", "import", str(file))
    assert code == 1
    assert "no exported run" in err
    assert run("runs", "export", "9", str(recorded / "x"))[0] == 3


def test_there_is_nothing_to_open_where_nothing_runs(run: Run) -> None:
    code, _, err = run("open")
    assert code == 3
    assert "nothing runs" in err


def test_what_was_recorded_commands_no_terminal(tmp_path: Path, run: Run) -> None:
    title = "\x1b]0;mine\x07\x9b2J\r"
    exception = [("exception", NOON, {"exception.type": "Boom", "exception.message": f"it {title} broke"})]
    boom = span("orders", f"GET {title}", 7, failed=True, message=title, events=exception)
    _record(tmp_path, "a", boom, log("orders", f"said {title}", trace=7))
    for arguments in (("traces",), ("traces", f"{7:032x}")):
        code, out, _ = run(*arguments)
        assert code == 0
        assert "]0;mine" in out
        assert not {"\x1b", "\x07", "\x9b", "\r"} & set(out)
