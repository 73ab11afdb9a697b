"""The one thread that writes a run's file: what has come is written together, in one transaction.

Who hands something over never waits. What does not fit into the queue, or cannot be written, as on a full disk, is
counted and told; reading and later writing go on.
"""

import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from shoal.dashboard.store import schema
from shoal.dashboard.store.records import Log, Point, Record, Span, Told
from shoal.dashboard.store.writing import limits
from shoal.dashboard.store.writing.logs import write_logs
from shoal.dashboard.store.writing.names import Names
from shoal.dashboard.store.writing.points import Points
from shoal.dashboard.store.writing.spans import Spans

LARGEST = 256 * 1024 * 1024
"""Bytes of one run's file."""

WAITING = 50_000
"""Records that may wait to be written."""

_TOGETHER = 20_000
_PAUSE = 0.2
"""Seconds in which more is awaited, so that few transactions carry much."""

_LOOK_EVERY = 15.0
_HOLDS_BACK = 30.0
"""Seconds between two words about what is dropped."""


class Writer:
    """Writes a file until it is closed."""

    def __init__(
        self,
        file: Path,
        *,
        largest: int = LARGEST,
        say: Callable[[str], None] = lambda _: None,
        facts: dict[str, str] | None = None,
    ) -> None:
        self.file, self._largest, self._say = file, largest, say
        self._connection = schema.make(file)
        self._names = Names(self._connection)
        self._spans = Spans(self._connection, self._names)
        self._points = Points(self._connection, self._names)
        self._queue: queue.Queue[Sequence[Record] | None] = queue.Queue()
        self._waiting = 0
        self._guard = threading.Lock()
        self._written = threading.Condition()
        self._taken = self._done = 0
        self.dropped = 0
        """Records that were lost."""
        self.failure = ""
        """Why nothing can be written now; empty when all is well."""
        self._told, self._looked = -_HOLDS_BACK, 0.0
        self._note(facts or {})
        self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
        self._thread.start()

    def put(self, records: Sequence[Record]) -> bool:
        """Hand records over to be written; False when too many wait already, and these are dropped.

        What is too much by itself is taken when nothing else waits: it would be refused for ever.
        """
        if not records:
            return True
        with self._guard:
            if self._waiting and self._waiting + len(records) > WAITING:
                self.dropped += len(records)
                return False
            self._waiting += len(records)
            self._taken += 1
        self._queue.put(records)
        return True

    def flush(self, within: float = 30.0) -> bool:
        """Wait until what was handed over is written; False when it is not within so many seconds."""
        wanted = self._taken
        self._queue.put(())  # which ends a pause
        with self._written:
            return self._written.wait_for(lambda: self._done >= wanted, within)

    def close(self) -> None:
        """Write what waits, note the end of the run, and close the file."""
        self._queue.put(None)
        self._thread.join()
        with contextlib.suppress(sqlite3.Error):
            self._spans.finish()
            self._points.finish()
            self._note({"ended": str(time.time())})
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.execute("PRAGMA busy_timeout=0")
            self._connection.execute("PRAGMA journal_mode=DELETE")  # one file, unless somebody reads it now
        self._connection.close()

    def _run(self) -> None:
        going = True
        while going:
            batches, going = self._gathered()
            if batches:
                self._write_apart(batches)
                with self._guard:
                    self._waiting -= sum(map(len, batches))
                with self._written:
                    self._done += len(batches)
                    self._written.notify_all()

    def _gathered(self) -> tuple[list[Sequence[Record]], bool]:
        """Wait for something, then a little for more; say whether to go on."""
        found: list[Sequence[Record]] = []
        until = count = 0.0
        while True:
            try:
                batch = self._queue.get(timeout=max(0.0, until - time.monotonic()) if found else None)
            except queue.Empty:
                return found, True
            if not batch:
                return found, batch is not None
            until = until or time.monotonic() + _PAUSE
            found.append(batch)
            count += len(batch)
            if count >= _TOGETHER:
                return found, True

    def _write_apart(self, batches: list[Sequence[Record]]) -> None:
        """Write all together; when something in them cannot be written, each batch by itself, so that one is lost."""
        try:
            self._write([record for batch in batches for record in batch])
        except sqlite3.OperationalError as error:  # such as a full disk, which is no better for a part
            self._lost(sum(map(len, batches)), error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread goes on
            if len(batches) == 1:
                self._lost(len(batches[0]), error)
            for batch in batches if len(batches) > 1 else ():
                self._write_apart([batch])
        else:
            self.failure = ""
            self._tidy()

    def _write(self, records: list[Record]) -> None:
        spans = [record for record in records if type(record) is Span]
        logs = [record for record in records if type(record) is Log]
        points = [record for record in records if type(record) is Point]
        told = [record for record in records if type(record) is Told]
        with self._transaction():
            self._spans.write(spans)
            write_logs(self._connection, self._names, logs)
            self._points.write(points)
            self._connection.executemany("REPLACE INTO notices VALUES (?, ?, ?)", told)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # SQLite itself takes it back when the disk is full
                self._connection.execute("ROLLBACK")
            self._names.load()
            self._spans.forget()
            self._points.forget()
            raise

    def _tidy(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY:
            return
        self._looked = now
        with contextlib.suppress(sqlite3.Error), self._transaction():  # another time, then
            self._spans.fold(int(time.time()))
            if limits.size(self._connection) > self._largest:
                limits.shrink(self._connection)
                self._spans.forget_rows()

    def _lost(self, count: int, error: Exception) -> None:
        self.dropped += count
        self.failure = f"{error}" or type(error).__name__
        if time.monotonic() - self._told >= _HOLDS_BACK:
            self._told = time.monotonic()
            self._say(f"error: cannot write to {self.file.name}: {error}; {self.dropped} records are lost so far")

    def _note(self, facts: dict[str, str]) -> None:
        """Note what is true of the run; when it began stays what it was."""
        once = "INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value WHERE key <> 'started'"
        self._connection.executemany(once, facts.items())
