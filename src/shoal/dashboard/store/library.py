"""The recorded runs of a folder, each opened once and kept open for who reads it again."""

import threading
from pathlib import Path

from shoal.dashboard.store import runs
from shoal.dashboard.store.reading import Database, database
from shoal.dashboard.store.runs import Runs
from shoal.errors import HostError, Problem


class Library:
    """Lists and opens runs; threads may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[int, Database] = {}
        self._guard = threading.Lock()

    def runs(self) -> Runs:
        """List them, newest first."""
        return runs.runs(self._folder)

    def reader(self, number: int = 0) -> Database:
        """Open one for reading; 0 is the newest.

        Raises:
            Problem: There is none (404).
            Damaged: Its file is none of ours.
        """
        try:
            file = runs.find(self._folder, number)
        except HostError as error:
            raise Problem(404, "no-run", error.message) from error
        with self._guard:
            found = self._open.get(wanted := runs.number_of(file))
            if found is None:
                found = self._open[wanted] = database(file)
            for gone in set(self._open) - set(runs.numbers(self._folder)):
                self._open.pop(gone).close()
        return found

    def close(self) -> None:
        """Close all of them."""
        with self._guard:
            while self._open:
                self._open.popitem()[1].close()
