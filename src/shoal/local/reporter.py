"""What the supervisor says while it works, and to whom."""

from typing import Protocol

from shoal.local.state import ProcessState, RunState


class Reporter(Protocol):
    """Takes what happens. Called in the supervisor's event loop; must return at once."""

    def changed(self, process: ProcessState) -> None:
        """Take the new state of a process."""
        ...

    def line(self, source: str, text: str) -> None:
        """Take a line that a process printed."""
        ...

    def event(self, source: str, text: str) -> None:
        """Take what the supervisor did, such as a reload."""
        ...

    def problem(self, source: str, text: str) -> None:
        """Take what needs the author; the last one of a source stays on screen until `solved`."""
        ...

    def solved(self, source: str) -> None:
        """Drop the problem of a source."""
        ...

    def ready(self, run: RunState, seconds: float) -> None:
        """Take the news that everything answers."""
        ...


class Quiet:
    """Says nothing."""

    def changed(self, process: ProcessState) -> None:
        """Ignore it."""

    def line(self, source: str, text: str) -> None:
        """Ignore it."""

    def event(self, source: str, text: str) -> None:
        """Ignore it."""

    def problem(self, source: str, text: str) -> None:
        """Ignore it."""

    def solved(self, source: str) -> None:
        """Ignore it."""

    def ready(self, run: RunState, seconds: float) -> None:
        """Ignore it."""
