"""The writer keeps what it can, tells what it cannot, and never makes anybody wait."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from shoal.dashboard.store import schema, writer
from shoal.dashboard.store.reading import TraceQuery, database, metrics, operations, traces
from shoal.dashboard.store.records import Point, Record
from shoal.dashboard.store.schema import Damaged
from shoal.dashboard.store.writer import Writer
from shoal.dashboard.store.writing import limits, names
from tests.dashboard.telling import log, resource, span, written


def _batch(first: int, count: int = 200) -> list[Record]:
    return [span("a", "x", n, at=n, attributes={"text": "t" * 500, "n": n}) for n in range(first, first + count)]


def test_a_full_disk_is_told_and_writing_goes_on_afterwards(tmp_path: Path) -> None:
    told: list[str] = []
    busy = Writer(tmp_path / "run-000001.db", say=told.append)
    busy.put(_batch(1, 10))
    assert busy.flush()
    (pages,) = busy._connection.execute("PRAGMA page_count").fetchone()
    busy._connection.execute(f"PRAGMA max_page_count={pages + 2}")
    busy.put(_batch(100, 500))
    assert busy.flush()
    assert (busy.dropped, "full" in busy.failure) == (500, True)
    assert len(told) == 1
    with database(busy.file) as found:
        assert len(traces(found, TraceQuery(limit=1000)).items) == 10
    busy._connection.execute("PRAGMA max_page_count=100000")
    busy.put(_batch(1000, 20))
    assert busy.flush()
    assert busy.failure == ""
    busy.close()
    with database(busy.file) as found:
        assert len(traces(found, TraceQuery(limit=1000)).items) == 30
        assert operations(found).items[0].count == 30


def test_what_does_not_fit_into_the_queue_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "WAITING", 100)
    busy = Writer(tmp_path / "run-000001.db")
    held = threading.Lock()
    original = busy._write

    def waiting(records: list[Record]) -> None:
        with held:
            original(records)

    monkeypatch.setattr(busy, "_write", waiting)
    with held:
        assert busy.put(_batch(1, 90))
        assert not busy.put(_batch(100, 20))
        assert busy.dropped == 20
    assert busy.flush()
    assert busy.put(_batch(200, 20))
    busy.close()


def test_one_batch_beyond_the_bound_is_taken_when_nothing_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "WAITING", 10)
    busy = Writer(tmp_path / "run-000001.db")
    assert busy.put(_batch(1, 20))
    busy.close()
    assert busy.dropped == 0
    with database(busy.file) as found:
        assert len(traces(found, TraceQuery()).items) == 20


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(span("a", "x", 999, attributes={"a": object()}), id="no JSON"),
        pytest.param(log("a", object()), id="no value of SQLite"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_written_costs_its_own_batch_only(tmp_path: Path, bad: Record) -> None:
    told: list[str] = []
    busy = Writer(tmp_path / "run-000001.db", say=told.append)
    for batch in (_batch(1, 5), [bad, *_batch(100, 3)], _batch(200, 5)):
        assert busy.put(batch)
    assert busy.flush()
    busy.close()
    assert busy.dropped == 4
    assert len(told) == 1
    with database(busy.file) as found:
        assert len(traces(found, TraceQuery()).items) == 10
        assert operations(found).items[0].count == 10


def test_who_tells_and_series_have_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "MOST_RESOURCES", 2)
    monkeypatch.setattr(names, "MOST_SERIES", 2)
    spans = [span(f"s{n}", "x", n + 1) for n in range(5)]
    points = [Point(resource("s0"), f"m{n}", "", "gauge", True, "{}", 10**15, 1.0) for n in range(5)]
    found = written(tmp_path / "run-000001.db", spans, points)
    assert len(traces(found, TraceQuery()).items) == 5
    assert found.one("SELECT count(*) FROM resources") == (3,)
    assert [one.name for one in metrics(found).items] == ["m0", "m1"]


def test_a_file_of_a_killed_writer_can_be_read_and_gone_on_with(tmp_path: Path) -> None:
    file = tmp_path / "run-000001.db"
    code = """
        import sys
        from pathlib import Path
        from shoal.dashboard.store.writer import Writer
        from tests.dashboard.telling import span
        writer, n = Writer(Path(sys.argv[1])), 1
        while True:
            writer.put([span("a", "x", n + i, at=n + i) for i in range(50)])
            writer.flush()
            n += 50
            print(n, flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(code), str(file)]
    root = Path(__file__).parents[3]
    environment = os.environ | {"PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=root) as process:  # noqa: S603
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(5)]
        process.send_signal(signal.SIGKILL)
        process.wait()
    with database(file) as found:
        assert found.one("PRAGMA quick_check") == ("ok",)
        assert operations(found).items[0].count >= told[-1] - 1
    whole = written(file, [span("a", "x", 10**6, at=1)])
    assert len(traces(whole, TraceQuery(limit=1000)).items) >= min(1000, told[-1])


def test_many_read_while_one_writes(tmp_path: Path) -> None:
    busy = Writer(tmp_path / "run-000001.db")
    ended = threading.Event()
    seen: list[list[int]] = [[], []]
    failures: list[BaseException] = []

    def look(mine: list[int]) -> None:
        try:
            with database(busy.file) as found:
                while not ended.is_set():
                    mine.append(sum(one.count for one in operations(found).items))
                    traces(found, TraceQuery(service="a", text="x", errors=False))
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    readers = [threading.Thread(target=look, args=(mine,)) for mine in seen]
    for reader in readers:
        reader.start()
    for n in range(20):
        busy.put(_batch(n * 100 + 1, 100))
        assert busy.flush()
    ended.set()
    for reader in readers:
        reader.join()
    busy.close()
    assert failures == []
    for mine in seen:
        assert mine == sorted(mine)
        assert all(count % 100 == 0 for count in mine)


def test_the_oldest_goes_first_and_the_sums_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_LOOK_EVERY", 0.0)
    largest = 600_000
    busy = Writer(tmp_path / "run-000001.db", largest=largest)
    for n in range(20):
        busy.put(_batch(n * 100 + 1, 100))
        assert busy.flush()
    assert limits.size(busy._connection) < largest * 1.3
    busy.close()
    with database(busy.file) as found:
        kept = sorted(int(one.trace_id, 16) for one in traces(found, TraceQuery(limit=1000)).items)
        assert kept[-1] == 2000
        assert kept == list(range(kept[0], 2001))
        assert kept[0] > 500
        assert operations(found).items[0].count == 2000
        assert traces(found, TraceQuery(attribute="n=3")).items == []
        assert len(traces(found, TraceQuery(attribute="n=1999")).items) == 1


@pytest.mark.parametrize("text", [b"", b"no database at all, but longer than a header of one would be" * 40])
def test_a_file_that_is_none_of_ours_is_refused_and_left_alone(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "run-000001.db"
    file.write_bytes(text)
    with pytest.raises(Damaged):
        database(file)
    with pytest.raises(Damaged):
        schema.make(file)
    assert file.read_bytes() == text


def test_a_file_of_another_form_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run-000001.db"
    connection = schema.make(file)
    connection.execute("PRAGMA user_version=999")
    connection.close()
    with pytest.raises(Damaged, match="form 999"):
        database(file)
