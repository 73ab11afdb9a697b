"""Publish messages in order, in batches, and hear what became of each.

One batch of a call is under way at a time, so a batch that fails is never overtaken by the next, and nothing is sent
twice by the driver: there is nothing that an idempotent producer would add.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shoal.drivers.base import Message, Outcome, Published, Stream
from shoal.drivers.kafka import library, wire
from shoal.drivers.kafka.link import ANSWER_SECONDS, MOVED, Link
from shoal.drivers.kafka.registry import Registry
from shoal.errors import Contended, EngineError, Unavailable, Undeclared

WINDOW = 512
"""Messages in flight while publishing."""

BATCH_BYTES = 1000 * 1000 + 16 * 1024
"""Bytes of a batch, which brokers take in one piece; one message of the largest size fits."""

_UNSENT = Unavailable("not sent, because the connection to Kafka was lost before", hint="try again")


@dataclass(slots=True)
class _Run:
    """Messages that follow each other into one stream."""

    stream: Stream
    numbers: list[int] = field(default_factory=list)
    parts: list[wire.Parts] = field(default_factory=list)
    size: int = 0

    def takes(self, stream: Stream, size: int) -> bool:
        """Tell whether one more fits."""
        return self.stream == stream and len(self.numbers) < WINDOW and self.size + size <= BATCH_BYTES

    def add(self, number: int, parts: wire.Parts) -> None:
        """Add one."""
        self.numbers.append(number)
        self.parts.append(parts)
        self.size += wire.size(parts)


class Publisher:
    """The publications of one connection."""

    def __init__(self, link: Link, registry: Registry) -> None:
        self._link, self._registry = link, registry
        self.fallen: dict[str, int] = {}
        """How far streams had come that were found shorter than they had been, until somebody has asked."""

    async def publish(self, messages: Sequence[Message], after: int | None = None) -> Sequence[Outcome]:
        """Send all, a batch at a time; see `base.Broker`."""
        outcomes: list[Outcome] = [_UNSENT] * len(messages)
        try:
            self._link.require()
            if any(self._registry.route(message.subject) is None for message in messages):
                await self._registry.refresh()
            for run in self._runs(messages, outcomes):
                await self._send(run, outcomes, after)
                if after is not None:
                    after += sum(isinstance(outcomes[number], Published) for number in run.numbers)
        except Unavailable as error:
            outcomes = [error if outcome is _UNSENT else outcome for outcome in outcomes]
        return outcomes

    def _runs(self, messages: Sequence[Message], outcomes: list[Outcome]) -> Iterator[_Run]:
        """Split messages into batches, and decide what no broker needs to be asked for."""
        run: _Run | None = None
        for number, message in enumerate(messages):
            stream = self._registry.route(message.subject)
            if stream is None:
                hint = "declare the streams first"
                outcomes[number] = Unavailable(f"no stream takes the subject {message.subject}", hint=hint)
                continue
            try:
                parts = wire.record(message, stream)
            except EngineError as error:
                outcomes[number] = error
                continue
            if run is not None and not run.takes(stream, wire.size(parts)):
                yield run
                run = None
            run = run or _Run(stream)
            run.add(number, parts)
        if run is not None:
            yield run

    async def _send(self, run: _Run, outcomes: list[Outcome], after: int | None) -> None:
        name = run.stream.name
        topic = await self._link.topic(name)
        if topic is None:
            raise Unavailable(f"there is no stream {name}", hint="declare it first")
        request = library.produce(name, library.pack(run.parts), ANSWER_SECONDS)
        error, first = library.produced(await self._link.ask(request, node=topic.leader, lane="say"))
        if error in (*wire.TOO_LARGE, *wire.INVALID) and len(run.numbers) > 1:
            await self._one_by_one(run, outcomes)
        elif error:
            self._refuse(run, outcomes, error)
        elif after is not None and first < after:
            self.fallen[name] = first
            what = f"stream {name} stands at {first}, not at {after}: it has lost messages"
            self._settle(run, outcomes, [Contended(what)] * len(run.numbers))
            raise Contended(what)
        else:
            places = [Published(sequence=first + place) for place in range(1, len(run.numbers) + 1)]
            self._settle(run, outcomes, places)

    async def _one_by_one(self, run: _Run, outcomes: list[Outcome]) -> None:
        """Find out which message of a batch is refused."""
        for number, parts in zip(run.numbers, run.parts, strict=True):
            await self._send(_Run(run.stream, [number], [parts]), outcomes, None)

    def _refuse(self, run: _Run, outcomes: list[Outcome], error: int) -> None:
        name = run.stream.name
        what = f"{self._link.address.place} did not store into {name}: {library.error_name(error)}"
        if error in wire.FORBIDDEN:
            refusal: Outcome = Undeclared(f"this service may not publish to {name}", hint="declare what it publishes")
        elif error in (*wire.TOO_LARGE, *wire.INVALID):
            refusal = EngineError(what, hint="a larger message needs a larger max.message.bytes, or a smaller event")
        else:
            if error in MOVED:
                self._link.lose()
            raise Unavailable(what, hint="try again")
        self._settle(run, outcomes, [refusal] * len(run.numbers))

    @staticmethod
    def _settle(run: _Run, outcomes: list[Outcome], found: Sequence[Outcome]) -> None:
        for number, outcome in zip(run.numbers, found, strict=True):
            outcomes[number] = outcome
