"""Long work that only wants processor time, done at the lowest priority while other tests wait for engines.

Whichever process of the run comes first does the work and leaves the result in a file; whichever has the test that asks
for it waits for the file's lock, and does the work itself if who held it died.
"""

import contextlib
import fcntl
import pickle
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, TypeVar

NICE = 19
"""Priority of the processes of such work: they get what nobody else wants."""

T = TypeVar("T")
_folder: Path | None = None


def begin(works: Mapping[str, Callable[[], object]], folder: Path) -> threading.Thread:
    """Begin those works that no other process has begun, one after the other; a run that is broken off leaves them."""
    global _folder  # noqa: PLW0603 - there is one run in a process
    _folder = folder
    taken = {name: lock for name in works if (lock := _lock(folder / name, fcntl.LOCK_EX | fcntl.LOCK_NB))}
    thread = threading.Thread(target=_do, args=(works, taken, folder), daemon=True)
    thread.start()
    return thread


def result_of(name: str, work: Callable[[], T]) -> T:
    """Return what a work came to, which is done now unless it was begun before."""
    if _folder is None:
        return work()
    with _held(_folder / name):
        done = _folder / f"{name}.done"
        found: T = pickle.loads(done.read_bytes()) if done.exists() else work()  # noqa: S301 - we wrote it
        return found


def _do(works: Mapping[str, Callable[[], object]], taken: Mapping[str, IO[bytes]], folder: Path) -> None:
    for name, lock in taken.items():
        with lock, contextlib.suppress(Exception):  # it is raised where the result is asked for, and done again
            if not (done := folder / f"{name}.done").exists():
                done.write_bytes(pickle.dumps(works[name]()))


def _lock(path: Path, how: int) -> IO[bytes] | None:
    file = path.open("ab")
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        file.close()
        return None
    return file


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
