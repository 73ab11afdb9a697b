"""Send what is recorded, from threads of its own: a request never waits for it, and it never fails a service."""

import logging
import threading
import time
from collections import deque
from typing import Protocol

import msgspec

from shoal.telemetry.protocols import sender
from shoal.telemetry.sender import Outcome, Sender
from shoal.telemetry.settings import TelemetrySettings

FIRST, LAST = 0.25, 10.0
"""Seconds until a batch that was not taken is sent again: at first, and at most."""

GRACE = 10.0
"""Seconds for which a receiver may be away before it is told; it may start a little later than we do."""

TELL = 60.0
"""Seconds between two words about what was dropped."""

_log = logging.getLogger("shoal.telemetry")


class Parcel(msgspec.Struct, frozen=True):
    """One encoded request."""

    body: bytes
    """Empty when nothing of a batch could be written."""
    count: int
    """Records in it."""
    more: bool = False
    """Whether others wait to be taken at once."""


class Source(Protocol):
    """What records of one signal are taken from, in a thread of the exporter's."""

    signal: str
    """``traces``, ``logs`` or ``metrics``."""
    pause: float
    """Seconds between two looks at it."""
    dropped: int
    """Records that were not sent and never will be."""

    def take(self) -> Parcel | None:
        """Encode what waits, one request at most; None when nothing does."""
        ...


class Exporter:
    """Takes from sources, and sends to the receivers that the settings name.

    A receiver that is away is tried again for as long as the process lives. Meanwhile the queues of its sources fill,
    and what comes beyond their bounds is dropped and counted by them. Each signal has a thread of its own, so that
    logs and metrics arrive where traces do not.
    """

    def __init__(self, settings: TelemetrySettings) -> None:
        self._lanes = {signal: _Lane(signal, sender(signal, settings)) for signal in settings.endpoints}

    def add(self, source: Source) -> None:
        """Take from a source from now on; one whose signal is not exported is left alone."""
        if (lane := self._lanes.get(source.signal)) is not None:
            lane.add(source)

    def start(self) -> None:
        """Begin to send, in the background."""
        for lane in self._lanes.values():
            lane.start()

    def poke(self, source: Source) -> None:
        """Say that a source has enough for a request."""
        if (lane := self._lanes.get(source.signal)) is not None:
            lane.poke(source)

    def flush(self, seconds: float = 10.0) -> bool:
        """Send everything that waits, and tell whether it was taken or refused within so many seconds."""
        until = time.monotonic() + seconds
        asked = [lane.flush() for lane in self._lanes.values()]
        return all(done.wait(max(0.0, until - time.monotonic())) for done in asked)

    def close(self, seconds: float = 3.0) -> None:
        """Send what waits, for so many seconds at most, and end; a receiver that is gone is not waited for."""
        until = time.monotonic() + seconds
        for lane in self._lanes.values():
            lane.end(until)
        for lane in self._lanes.values():
            lane.join(until + 1.0)


class _Lane:
    """The way of one signal to its receiver."""

    def __init__(self, signal: str, sender: Sender) -> None:
        self._sender = sender
        self._due: dict[Source, float] = {}
        self._urgent: set[Source] = set()
        self._asked: deque[threading.Event] = deque()
        self._news, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"telemetry-{signal}", daemon=True)
        self._until = float("inf")
        self._away, self._away_since = False, float("inf")
        self._told, self._told_at = 0, float("-inf")

    def add(self, source: Source) -> None:
        self._due[source] = time.monotonic() + source.pause

    def start(self) -> None:
        self._thread.start()

    def poke(self, source: Source) -> None:
        self._urgent.add(source)
        self._news.set()

    def flush(self) -> threading.Event:
        """Ask for everything that waits to be sent; what is returned is set when it was."""
        done = threading.Event()
        self._asked.append(done)
        self._news.set()
        return done

    def end(self, until: float) -> None:
        """Send what waits until then, at most, and end."""
        self._until = until
        self._closing.set()
        self._news.set()

    def join(self, until: float) -> None:
        if self._thread.is_alive():
            self._thread.join(max(0.0, until - time.monotonic()))
        self._sender.close()

    def _run(self) -> None:
        while not self._closing.is_set():
            now = time.monotonic()
            self._news.wait(max(0.0, min(self._due.values(), default=now + 1.0) - now))
            self._news.clear()
            asked = [self._asked.popleft() for _ in range(len(self._asked))]
            self._look(everything=bool(asked))
            for done in asked:
                done.set()
        for source in tuple(self._due):
            self._empty(source)
        self._tell(last=True)

    def _look(self, *, everything: bool) -> None:
        now = time.monotonic()
        for source, due in tuple(self._due.items()):
            if everything or source in self._urgent or now >= due:
                self._urgent.discard(source)
                self._due[source] = now + source.pause
                self._empty(source)
        self._tell()

    def _empty(self, source: Source) -> None:
        try:
            while (parcel := source.take()) is not None:
                if parcel.body:
                    self._deliver(source, parcel)
                if not parcel.more:
                    return
        except Exception:  # noqa: BLE001 - whatever it is, it must not end the thread
            _log.exception("telemetry: records of %s could not be written and are dropped", source.signal)

    def _deliver(self, source: Source, parcel: Parcel) -> None:
        """Send one request until it is taken or refused, or the end is near."""
        pause = FIRST
        while True:
            outcome = self._sender.send(parcel.body)
            if outcome.taken:
                self._back()
                return
            if not outcome.again:
                source.dropped += parcel.count
                self._refused(source, outcome)
                return
            self._lost(outcome)
            wait = max(pause, outcome.after)
            if self._closing.is_set() and (outcome.gone or time.monotonic() + wait > self._until):
                source.dropped += parcel.count
                return
            self._closing.wait(wait) if not self._closing.is_set() else time.sleep(wait)
            pause = min(LAST, pause * 2)

    def _refused(self, source: Source, outcome: Outcome) -> None:
        now = time.monotonic()
        if now - self._told_at >= TELL:
            self._told_at = now
            _log.warning("telemetry: %s refuses %s: %s", self._sender.address, source.signal, outcome.reason)

    def _lost(self, outcome: Outcome) -> None:
        now = time.monotonic()
        self._away_since = min(self._away_since, now)
        if not self._away and now - self._away_since >= GRACE:
            self._away = True
            _log.warning(
                "telemetry: %s does not take what is recorded (%s); it is kept in part and sent later",
                self._sender.address, outcome.reason,
            )  # fmt: skip

    def _back(self) -> None:
        self._away_since = float("inf")
        if self._away:
            self._away = False
            _log.info("telemetry: %s takes what is recorded again", self._sender.address)

    def _tell(self, *, last: bool = False) -> None:
        """Say how many records were dropped, now and then."""
        dropped, now = sum(source.dropped for source in tuple(self._due)), time.monotonic()
        if dropped > self._told and (last or now - self._told_at >= TELL):
            _log.warning("telemetry: %d records were dropped since the last word", dropped - self._told)
            self._told, self._told_at = dropped, now
