"""What is declared at a broker that knows neither subjects nor since when somebody hears. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from shoal.drivers.base.broker import Consumer, Stream
from shoal.drivers.base.subjects import covers


class StreamRecord(msgspec.Struct, frozen=True, kw_only=True, tag="stream"):
    """What is written down of a stream."""

    stream: Stream
    made: int
    """Milliseconds since 1970; what was published before is published again, for who was not there."""


class ConsumerRecord(msgspec.Struct, frozen=True, kw_only=True, tag="consumer"):
    """What is written down of a consumer."""

    consumer: Consumer
    since: int
    """Of its stream, when its subscription was made."""


Record = StreamRecord | ConsumerRecord


class Declared:
    """The streams and consumers of one broker, as far as they were read."""

    def __init__(self) -> None:
        self._written: dict[str, StreamRecord] = {}
        self._consumers: dict[tuple[str, str], ConsumerRecord] = {}
        self._streams: Mapping[str, StreamRecord] = {}
        self._routes: dict[str, StreamRecord | None] = {}

    @property
    def streams(self) -> Sequence[StreamRecord]:
        """All that are there, as they were last read."""
        return [*self._streams.values()]

    def stream(self, name: str) -> StreamRecord | None:
        """Look up a stream that is there, which counts as made anew whenever somebody begins to hear it."""
        return self._streams.get(name)

    def written(self, name: str) -> StreamRecord | None:
        """Look up what is written down of a stream, whether or not it is there."""
        return self._written.get(name)

    def consumer(self, stream: str, name: str) -> ConsumerRecord | None:
        """Look up a consumer."""
        return self._consumers.get((stream, name))

    def heard(self, stream: str) -> Iterator[ConsumerRecord]:
        """List the consumers of a stream."""
        return (record for (name, _), record in self._consumers.items() if name == stream)

    def route(self, subject: str) -> StreamRecord | None:
        """Find the stream that takes a subject."""
        if subject not in self._routes:
            takes = (record for record in self._streams.values() if covers(record.stream.subjects, subject))
            self._routes[subject] = next(takes, None)
        return self._routes[subject]

    def forget(self) -> None:
        """Begin to read anew."""
        self._written, self._consumers = {}, {}

    def note(self, record: Record) -> None:
        """Take note of a record, in the place of the one that there was."""
        if isinstance(record, StreamRecord):
            self._written[record.stream.name] = record
        else:
            self._consumers[record.consumer.stream, record.consumer.name] = record

    def settle(self, there: Iterable[str]) -> None:
        """See what the records mean together, for the streams that are there."""
        present = frozenset(there)
        made = {name: record.made for name, record in self._written.items() if name in present}
        for (name, _), record in self._consumers.items():
            if name in made:
                made[name] = max(made[name], record.since)
        self._streams = {name: msgspec.structs.replace(self._written[name], made=since) for name, since in made.items()}
        self._routes = {}
