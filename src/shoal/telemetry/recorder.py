"""What one service records: spans and log records, in queues that the exporter empties."""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from time import time_ns
from typing import Generic, TypeVar

from shoal.telemetry import conventions as names
from shoal.telemetry import logs, spans
from shoal.telemetry.exporter import Exporter, Parcel, Source
from shoal.telemetry.masking import MASK, Look, Mask
from shoal.telemetry.resource import OURS, encode, resource
from shoal.telemetry.sampling import Sampler
from shoal.telemetry.settings import Batching, TelemetrySettings
from shoal.telemetry.spans import ERROR, LocalPart, Span
from shoal.telemetry.wire import Hide, request

T = TypeVar("T")

LOCAL = 2000
"""Spans of the local part of one unsampled trace that wait for its end."""

LARGE = 1 << 21
"""Bytes after which a request takes no further records: receivers of gRPC take 4 MiB unless told otherwise."""

_TURN = 128
"""Records that are encoded, within some 0.4 ms, before other threads may run."""

_log = logging.getLogger("shoal.telemetry")


class Queue(Generic[T]):
    """Records that wait to be sent: a `Source`. `put` may be called in any thread."""

    def __init__(
        self,
        signal: str,
        batching: Batching,
        head: bytes,
        write: Callable[[T, Hide | None, Look | None], bytes],
        mask: Mask,
    ) -> None:
        self.signal, self.pause, self.dropped = signal, batching.delay, 0
        self._items: deque[T] = deque()
        self._limit, self._batch = batching.queue, batching.batch
        self._head, self._write, self._mask = head, write, mask
        self.poke: Callable[[Source], None] | None = None
        self.joined = False
        """Whether some of them say that others made them: that they have a scope of their own."""
        self._told = False

    def put(self, item: T) -> None:
        """Add a record; beyond the bound it is dropped and counted."""
        items = self._items
        waiting = len(items)
        if waiting >= self._limit:
            self.dropped += 1
            return
        items.append(item)
        if waiting + 1 == self._batch and self.poke is not None:
            self.poke(self)

    def take(self) -> Parcel | None:
        """Encode the next batch; a record that cannot be written is dropped and counted."""
        items, groups = self._items, dict[bytes, list[bytes]]()
        taken = size = 0
        while items and taken < self._batch and size < LARGE:
            some = [items.popleft() for _ in range(min(len(items), _TURN, self._batch - taken))]
            fitting, added = self._group(some, groups, LARGE - size)
            taken, size = taken + fitting, size + added
            if fitting < len(some):
                items.extendleft(reversed(some[fitting:]))
                break
            time.sleep(0)  # whoever answers requests goes first
        if not taken:
            return None
        count = taken - sum(written.count(b"") for written in groups.values())
        self.dropped += taken - count
        return Parcel(request(self._head, 2, groups) if count else b"", count, bool(items))

    def _group(self, some: Sequence[T], groups: dict[bytes, list[bytes]], room: int) -> tuple[int, int]:
        """Encode records, put what was made by others apart, and return how many fitted, with their bytes."""
        encoded = self._encode(some)
        size = sum(map(len, encoded))
        if size > room:
            encoded = encoded[: _fitting(encoded, room)]
            size = sum(map(len, encoded))
        if self.joined:
            for item, written in zip(some, encoded, strict=False):  # what did not fit is left
                groups.setdefault(getattr(item, "scope", b"") or OURS, []).append(written)
        else:
            groups.setdefault(OURS, []).extend(encoded)
        return len(encoded), size

    def _encode(self, some: Sequence[T]) -> list[bytes]:
        """Write records, each alone where they cannot be written together; nothing stands for one that cannot be."""
        try:
            return self._written(some)
        except Exception:  # noqa: BLE001 - whatever an author handed over, the others are told
            return [self._alone(item) for item in some]

    def _alone(self, item: T) -> bytes:
        try:
            return self._written([item])[0]
        except Exception:  # noqa: BLE001 - as above
            if not self._told:
                self._told = True
                _log.exception("telemetry: a record of %s could not be written and is dropped", self.signal)
            return b""

    def _written(self, some: Sequence[T]) -> list[bytes]:
        """Write records; where a secret may stand among them, with care."""
        write, look = self._write, Look(self._mask)
        written = [write(item, None, look) for item in some]
        if look.suspects():
            written = [write(item, self._mask.hide, None) for item in some]
        return written


def _fitting(encoded: Sequence[bytes], room: int) -> int:
    """Count those that fit, and the one that fills the room: a record that is larger than all of it goes, too."""
    for count, written in enumerate(encoded, 1):
        room -= len(written)
        if room <= 0:
            return count
    return len(encoded)


class Recorder:
    """Records the spans and log records of one service.

    Args:
        given: Attributes of the resource, such as ``service.name``.
    """

    def __init__(self, settings: TelemetrySettings, given: Mapping[str, str], mask: Mask | None = None) -> None:
        self.mask = mask or MASK
        self.resource = encode(resource(settings, given))
        self.spans: Queue[Span] = Queue("traces", settings.spans, self.resource, spans.encode, self.mask)
        self.logs: Queue[logs.Record] = Queue("logs", settings.logs, self.resource, logs.encode, self.mask)
        self.sampler = Sampler(settings)
        self.tracing = "traces" in settings.endpoints and not self.sampler.never
        self.logging = "logs" in settings.endpoints
        self._slow = int(settings.slow * 1e9)

    def attach(self, exporter: Exporter) -> None:
        """Let an exporter send what is recorded."""
        for queue in (self.spans, self.logs):
            exporter.add(queue)
            queue.poke = exporter.poke

    def unsampled(self) -> LocalPart:
        """Begin the local part of a trace that is not sampled: its first span is the one that is opened with it."""
        return LocalPart()

    def close(self, span: Span) -> None:
        """End a span, now unless it has an end already, and record it."""
        if not span.ended:
            span.ended = time_ns()
        if span.part is None:
            self.spans.put(span)
        else:
            self._settle(span, span.part)

    def _settle(self, span: Span, part: LocalPart) -> None:
        """Keep the local part of an unsampled trace when it failed or was slow."""
        if part.root is not span:
            if part.kept:
                self.spans.put(span)
            elif part.kept is None and len(part.waiting) < LOCAL:
                part.waiting.append(span)
            return
        failed = span.status == ERROR
        part.kept = failed or span.ended - span.began >= self._slow
        if part.kept:
            span.set(names.KEPT, "failed" if failed else "slow")
            for kept in (*part.waiting, span):
                self.spans.put(kept)
        part.root, part.waiting = None, []

    def log(self, record: logs.Record) -> None:
        """Record a line of the log."""
        self.logs.put(record)
