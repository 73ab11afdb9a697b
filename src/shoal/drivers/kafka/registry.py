"""Which streams and consumers are declared, read from a topic of the cluster."""

from shoal.drivers.base import Consumer, Stream
from shoal.drivers.base.subjects import covers
from shoal.drivers.kafka import library, wire
from shoal.drivers.kafka.link import Link
from shoal.errors import Unavailable

_PAGE = 4 * 1024 * 1024

HINT = "declare the streams and consumers first"


class Registry:
    """What is declared, as far as it was read."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._entries: dict[str, wire.Entry] = {}
        self._routes: dict[str, Stream | None] = {}
        self._next = 0

    def forget(self) -> None:
        """Begin anew: the cluster may be another one."""
        self._entries.clear()
        self._routes.clear()
        self._next = 0

    async def refresh(self) -> None:
        """Read what was added meanwhile; nothing when the cluster has never heard of it."""
        topic = await self._link.topic(wire.DECLARED)
        while topic is not None:
            request = library.fetch({wire.DECLARED: self._next}, 0.0, _PAGE)
            answer = await self._link.ask(request, node=topic.leader)
            ((_, found),) = library.fetched(answer)
            self.require(found)
            if not self.read(self._next, found) or self._next >= found.end:
                return

    def require(self, found: library.Fetched) -> None:
        """Begin anew and raise `Unavailable` unless what is declared could be read."""
        if found.error:
            self._link.lose()
            what = f"{self._link.address.place} does not say what is declared: {library.error_name(found.error)}"
            raise Unavailable(what, hint="it is asked again")

    def read(self, asked: int, found: library.Fetched) -> bool:
        """Take over what follows an offset; say whether there was anything new."""
        before = self._next
        if asked > before:
            return False
        for record in found.records:
            if record.offset >= before:
                self._take(record)
        self._next = max(before, found.behind)
        return self._next > before

    @property
    def next(self) -> int:
        """Offset of what was not read yet."""
        return self._next

    def streams(self) -> list[Stream]:
        """List every stream."""
        return [entry.stream for entry in self._entries.values() if entry.stream is not None]

    def consumers(self, stream: str) -> list[Consumer]:
        """List the consumers of a stream."""
        found = (entry.consumer for entry in self._entries.values())
        return [consumer for consumer in found if consumer is not None and consumer.stream == stream]

    def known(self, entry: wire.Entry) -> bool:
        """Tell whether something is declared just so."""
        return self._entries.get(entry.key) == entry

    def stream(self, name: str) -> Stream | None:
        """Look a stream up; None when there is none."""
        entry = self._entries.get(name)
        return None if entry is None else entry.stream

    def consumer(self, wanted: Consumer) -> Consumer | None:
        """Look up how a consumer is declared; None when it is not."""
        entry = self._entries.get(f"{wanted.stream} {wanted.name}")
        return None if entry is None or self.stream(wanted.stream) is None else entry.consumer

    def route(self, subject: str) -> Stream | None:
        """Find the stream that takes a subject; None when none does."""
        if subject not in self._routes:
            found = (stream for stream in self.streams() if covers(stream.subjects, subject))
            self._routes[subject] = next(found, None)
        return self._routes[subject]

    async def require_consumer(self, wanted: Consumer) -> Consumer:
        """Return how a consumer is declared, or raise `Unavailable`."""
        if self.consumer(wanted) is None:
            await self.refresh()
        found = self.consumer(wanted)
        if found is None:
            raise Unavailable(f"there is no consumer {wanted.name} of stream {wanted.stream}", hint=HINT)
        return found

    async def require_stream(self, name: str) -> Stream:
        """Return how a stream is declared, or raise `Unavailable`."""
        if self.stream(name) is None:
            await self.refresh()
        found = self.stream(name)
        if found is None:
            raise Unavailable(f"there is no stream {name}", hint="declare it first")
        return found

    def _take(self, record: library.Record) -> None:
        entry = wire.entry(record.value)
        key = (record.key or b"").decode("utf-8", "replace")
        self._routes.clear()
        if entry is None:
            self._entries.pop(key, None)
        else:
            self._entries[key] = entry
