"""Runs are history: the last ten stay, can be compared, handed on, and taken in from strangers with care."""

import gzip
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shoal.dashboard.store import portable, runs, schema
from shoal.dashboard.store.diff import diff
from shoal.dashboard.store.library import Library
from shoal.dashboard.store.reading import LogQuery, TraceQuery, database, logs, traces
from shoal.dashboard.store.records import Exponential, Point, Record, Span, Told
from shoal.dashboard.store.schema import Damaged
from shoal.dashboard.store.writer import Writer
from shoal.errors import HostError, Problem
from tests.dashboard.telling import NOON, log, resource, span, written


def _run(folder: Path, key: str, *told: Record) -> int:
    number, file = runs.begin(folder, key)
    writer = Writer(file, facts=runs.own_facts("shop", key))
    writer.put([*told])
    writer.close()
    return number


def test_the_last_ten_are_kept_and_numbers_go_on(tmp_path: Path) -> None:
    assert [_run(tmp_path, str(n)) for n in range(13)] == list(range(1, 14))
    assert [one.number for one in runs.runs(tmp_path).items] == list(range(13, 3, -1))
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"run-{n:06}.db" for n in range(4, 14)]


def test_who_begins_at_the_same_time_gets_a_file_of_its_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        begun = list(threads.map(lambda n: runs.begin(tmp_path, str(n)), range(8)))
    assert sorted(number for number, _ in begun) == list(range(1, 9))
    assert [runs.facts(file)["key"] for _, file in begun] == [str(n) for n in range(8)]


def test_a_run_that_is_still_written_is_not_forgotten(tmp_path: Path) -> None:
    number, file = runs.begin(tmp_path, "long")
    writer = Writer(file, facts=runs.own_facts("shop", "long"))
    for n in range(runs.KEPT + 2):
        _run(tmp_path, str(n))
    assert number in runs.numbers(tmp_path)
    writer.close()
    _run(tmp_path, "after")
    assert number not in runs.numbers(tmp_path)


def test_a_process_that_is_started_again_goes_on_with_its_run(tmp_path: Path) -> None:
    assert _run(tmp_path, "a", span("x", "first", 1)) == 1
    began = runs.facts(runs.file_of(tmp_path, 1))["started"]
    assert _run(tmp_path, "a", span("x", "second", 2)) == 1
    assert runs.facts(runs.file_of(tmp_path, 1))["started"] == began
    assert _run(tmp_path, "b") == 2
    (_, one) = runs.runs(tmp_path).items
    assert (one.spans, one.system, one.live) == (2, "shop", False)


def test_a_run_says_whether_it_lives(tmp_path: Path) -> None:
    number, file = runs.begin(tmp_path, "a")
    writer = Writer(file, facts=runs.own_facts("shop", "a"))
    writer.put([span("x", "y", 1, failed=True), log("x", "line")])
    assert writer.flush()
    one = runs.describe(tmp_path, number)
    assert (one.live, one.ended, one.spans, one.logs, one.errors) == (True, None, 1, 1, 1)
    writer._note({"born": "somebody else who had this pid"})
    killed = runs.describe(tmp_path, number)
    assert (killed.live, killed.ended is None) == (False, False)
    writer.close()


def test_what_is_no_run_is_left_out_of_the_list(tmp_path: Path) -> None:
    _run(tmp_path, "a")
    (tmp_path / "run-000002.db").write_bytes(b"rubbish")
    (tmp_path / "other.db").write_bytes(b"")
    assert [one.number for one in runs.runs(tmp_path).items] == [1]
    assert runs.runs(tmp_path / "nowhere").items == []
    with pytest.raises(HostError, match="no run 7"):
        runs.find(tmp_path, 7)


def test_a_library_opens_runs_until_they_are_gone(tmp_path: Path) -> None:
    library = Library(tmp_path)
    with pytest.raises(Problem) as missing:
        library.reader()
    assert missing.value.status == 404
    _run(tmp_path, "a", span("x", "first", 1))
    _run(tmp_path, "b", span("x", "second", 1))
    assert traces(library.reader(), TraceQuery()).items[0].name == "second"
    assert library.reader(1) is library.reader(1)
    runs.remove(tmp_path, 1)
    assert traces(library.reader(), TraceQuery()).items[0].name == "second"
    with pytest.raises(Problem):
        library.reader(1)
    library.close()


def test_a_run_is_handed_on_whole_also_while_it_goes_on(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    number, file = runs.begin(here, "a")
    writer = Writer(file, facts=runs.own_facts("shop", "a"))
    writer.put([span("x", f"op {n}", n + 1, attributes={"n": n}, failed=n == 3) for n in range(50)])
    writer.put([log("x", "told", trace=4), Told("n", NOON / 1000, b'{"until": null}')])
    for n, histogram in enumerate([None, (1.0, [1.0], [0, 1]), Exponential(1.0, 0, 0, 0, [1])]):
        writer.put([Point(resource("x"), f"m{n}", "", "histogram", True, "{}", NOON, 1.0, histogram)])
    assert writer.flush()
    count = portable.export(file, tmp_path / "run.shoal")
    assert count == (tmp_path / "run.shoal").stat().st_size
    with pytest.raises(HostError, match="there already"):
        portable.export(file, tmp_path / "run.shoal")
    writer.close()
    own = _run(there, "own")
    taken = portable.take(tmp_path / "run.shoal", there)
    assert (number, own, taken) == (1, 1, 2)
    assert sorted(path.name for path in there.iterdir()) == ["run-000001.db", "run-000002.db"]
    assert (runs.find(there), runs.find(there, 2).name) == (runs.file_of(there, 1), "run-000002.db")
    with database(file) as old, database(runs.find(there, 2)) as new:
        assert traces(new, TraceQuery(limit=1000)) == traces(old, TraceQuery(limit=1000))
        assert traces(new, TraceQuery(attribute="n=7")).items[0].name == "op 7"
        assert logs(new, LogQuery()).items == logs(old, LogQuery()).items
        assert new.ask("SELECT * FROM points") == old.ask("SELECT * FROM points") != []
        assert {one.change for one in diff(old, new).operations} == {"both"}
    assert runs.describe(there, 2).live is False
    assert _run(there, "own") == 1


def _tampered(tmp_path: Path, *statements: str) -> Path:
    file = tmp_path / "run-000001.db"
    written(file, [span("x", "y", 1), log("x", "told")]).close()
    connection = sqlite3.connect(file)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return _packed(tmp_path, file.read_bytes())


def _packed(tmp_path: Path, text: bytes) -> Path:
    packed = tmp_path / "foreign.shoal"
    packed.write_bytes(gzip.compress(text))
    return packed


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM spans; END",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TABLE more (x)",
        "DROP INDEX spans_bad",
        "UPDATE traces SET services = x'00'",
        "UPDATE spans SET detail = 'text'",
        "UPDATE spans SET started = 'soon'",
        "UPDATE logs SET at = 1.5",
        "UPDATE logs SET trace = 'text'",
        "UPDATE logs SET attributes = CAST('{\"a\": 1}, {' AS BLOB)",
        "UPDATE logs SET attributes = CAST('[]' AS BLOB)",
        "UPDATE spans SET detail = CAST('[[' AS BLOB)",
        "UPDATE resources SET attributes = CAST(x'7b22ff223a317d' AS TEXT)",
        "PRAGMA user_version = 99",
        "PRAGMA application_id = 99",
    ],
)
def test_a_changed_file_is_refused(tmp_path: Path, statement: str) -> None:
    packed = _tampered(tmp_path, statement)
    with pytest.raises(Damaged):
        portable.take(packed, tmp_path / "there")
    assert list((tmp_path / "there").iterdir()) == []


def test_what_is_no_whole_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = _tampered(tmp_path)
    text = gzip.decompress(good.read_bytes())
    for wrong in (good.read_bytes()[:-20], b"", text, gzip.compress(b""), gzip.compress(b"x" * 100)):
        other = tmp_path / "other.shoal"
        other.write_bytes(wrong)
        with pytest.raises(Damaged):
            portable.take(other, tmp_path / "there")
    torn = bytearray(text)
    torn[4096 * 2 : 4096 * 6] = b"\x07" * 4096 * 4
    with pytest.raises(Damaged):
        portable.take(_packed(tmp_path, bytes(torn)), tmp_path / "there")
    with pytest.raises(HostError, match="cannot read"):
        portable.take(tmp_path / "nothing", tmp_path / "there")
    monkeypatch.setattr(portable, "UNPACKED", 1000)
    with pytest.raises(Damaged, match="unpacks to more"):
        portable.take(good, tmp_path / "there")


def test_a_file_of_ours_is_taken(tmp_path: Path) -> None:
    assert portable.take(_tampered(tmp_path), tmp_path / "there") == 1
    with database(schema_file := runs.file_of(tmp_path / "there", 1)) as found:
        assert len(traces(found, TraceQuery()).items) == 1
    assert schema_file.stat().st_mode & 0o077 == 0
    schema.opened(schema_file).close()


def test_a_run_that_begins_meanwhile_keeps_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "there"
    begun = _run(there, "own")
    packed = _tampered(tmp_path)
    monkeypatch.setattr(runs, "numbers", lambda _: [])
    assert (begun, portable.take(packed, there)) == (1, 2)
    assert runs.facts(runs.file_of(there, 1))["key"] == "own"
    assert len(list(there.iterdir())) == 2


def test_two_runs_are_compared_by_operation_and_kind_of_error(tmp_path: Path) -> None:
    def boom(service: str, name: str, trace: int, kind: str) -> Span:
        return span(service, name, trace, failed=True, attributes={"error.type": kind})

    before = [span("orders", "POST /orders", n, took=10, at=n) for n in range(1, 21)]
    after = [span("orders", "POST /orders", n, took=40, at=n) for n in range(1, 41)]
    old = written(
        tmp_path / "run-000001.db", [*before, span("orders", "GET /old", 90), boom("orders", "x", 91, "Gone")]
    )
    new = written(
        tmp_path / "run-000002.db", [*after, span("orders", "GET /new", 90), boom("orders", "x", 91, "Fresh")]
    )
    found = diff(old, new)
    assert [(one.name, one.change) for one in found.operations][:2] == [("GET /new", "new"), ("GET /old", "gone")]
    changed = next(one for one in found.operations if one.name == "POST /orders")
    assert changed.before is not None
    assert changed.after is not None
    assert (changed.before.count, changed.after.count) == (20, 40)
    assert changed.after.p99 / changed.before.p99 == pytest.approx(4, rel=0.07)
    assert [(one.error, one.change, one.before, one.after) for one in found.errors] == [
        ("Fresh", "new", 0, 1), ("Gone", "gone", 1, 0),
    ]  # fmt: skip
