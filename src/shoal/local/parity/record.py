"""What was compared and what differed, kept in one file over restarts."""

import threading
from pathlib import Path

import msgspec

from shoal.errors import ShoalError
from shoal.local.host import private_file
from shoal.model.parity import Difference

EXAMPLES = 5
"""Differing requests that are kept of each route, the latest ones."""

WRITE_EVERY = 1.0
"""Seconds between two writes of the file, however much is compared."""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One request that was answered differently; what is secret in it is masked."""

    at: str
    request: str
    differences: tuple[Difference, ...]


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """One route."""

    compared: int = 0
    differing: int = 0
    unanswered: int = 0
    """Requests that one side did not answer."""
    skipped: int = 0
    """Copies that came faster than they could be compared."""
    examples: tuple[Example, ...] = ()


def parity_file(home: Path) -> Path:
    """Locate the record below the folder of the project's data."""
    return home / "strangle" / "parity.json"


def read(file: Path) -> dict[str, Parity]:
    """Read what was compared, by route; nothing when nothing was."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Parity])
    except (OSError, msgspec.MsgspecError):
        return {}


def forget(file: Path, route: str) -> None:
    """Begin anew with a route; only while nothing is compared."""
    kept = {name: parity for name, parity in read(file).items() if name != route}
    if file.exists():
        private_file(file, msgspec.json.encode(kept).decode())


class Record:
    """The record of a running comparison; any thread may add to it. `close` it, so that its end is written."""

    def __init__(self, file: Path) -> None:
        self._file, self._lock = file, threading.Lock()
        self._routes = read(file)
        self._news, self._closed = threading.Event(), threading.Event()
        self._writer = threading.Thread(target=self._keep_writing, daemon=True)
        self._writer.start()

    def close(self) -> None:
        """Write what is not written yet, and write no more."""
        self._closed.set()
        self._news.set()
        self._writer.join()

    def compared(self, route: str, example: Example | None) -> None:
        """Count a comparison, and keep the example when there is one."""
        with self._lock:
            old = self._routes.get(route, Parity())
            kept = (*old.examples, example)[-EXAMPLES:] if example else old.examples
            self._put(route, compared=old.compared + 1, differing=old.differing + bool(example), examples=kept)

    def unanswered(self, route: str) -> None:
        """Count a request that one side did not answer."""
        with self._lock:
            self._put(route, unanswered=self._routes.get(route, Parity()).unanswered + 1)

    def skipped(self, route: str) -> None:
        """Count a copy that could not be compared in time."""
        with self._lock:
            self._put(route, skipped=self._routes.get(route, Parity()).skipped + 1)

    def _put(self, route: str, **changes: object) -> None:
        self._routes[route] = msgspec.structs.replace(self._routes.get(route, Parity()), **changes)
        self._news.set()

    def _keep_writing(self) -> None:
        while not self._closed.is_set():
            self._news.wait()
            self._write()
            self._closed.wait(WRITE_EVERY)
        self._write()

    def _write(self) -> None:
        self._news.clear()
        with self._lock:
            routes = dict(self._routes)
        try:
            private_file(self._file, msgspec.json.encode(routes).decode())
        except ShoalError:
            self._news.set()  # a full disk: it is written when there is room
