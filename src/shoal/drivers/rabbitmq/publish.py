"""Publish messages in order, in batches, and hear where each lies.

One batch of a call is under way at a time, so a batch that fails is never overtaken by the next.
"""

import asyncio
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from shoal.drivers.base import Message, Outcome, Published, Stream
from shoal.drivers.rabbitmq import library, wire
from shoal.drivers.rabbitmq.echo import Echo
from shoal.drivers.rabbitmq.link import Link
from shoal.drivers.rabbitmq.registry import Registry
from shoal.errors import Contended, EngineError, Unavailable, Undeclared

WINDOW = 512
"""Messages in flight while publishing."""

WINDOW_BYTES = 4 * 1024 * 1024
STORE_SECONDS = 10.0
"""Within so long a batch is stored, or the server is away."""

_UNSENT = Unavailable("not sent, because the connection to RabbitMQ was lost before", hint="try again")


@dataclass(slots=True)
class _Run:
    """Messages that follow each other into one stream."""

    stream: Stream
    numbers: list[int] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    size: int = 0

    def takes(self, stream: Stream, message: Message) -> bool:
        """Tell whether one more fits; an id comes once, since the server names by it what it returns."""
        room = len(self.numbers) < WINDOW and self.size + len(message.body) <= WINDOW_BYTES
        return self.stream.name == stream.name and room and message.id not in self.ids

    def add(self, number: int, message: Message) -> None:
        """Add one."""
        self.numbers.append(number)
        self.messages.append(message)
        self.ids.add(message.id)
        self.size += len(message.body)

    def behind(self, index: int) -> "_Run":
        """Return what follows a message."""
        return _Run(self.stream, self.numbers[index + 1 :], self.messages[index + 1 :])


class Publisher:
    """The publications of one connection."""

    def __init__(self, link: Link, registry: Registry) -> None:
        self._link, self._registry = link, registry
        self._echoes: dict[str, Echo] = {}
        self._channel: library.Channel | None = None
        self._turn = asyncio.Lock()
        self._beginning = asyncio.Lock()
        self._marks = count()
        self._name = uuid.uuid4().hex
        self.fallen: dict[str, int] = {}
        """How far streams had come that were found shorter than they had been, until somebody has asked."""

    def forget(self) -> None:
        """Begin anew: nothing more is heard of what was published."""
        echoes, self._echoes, self._channel = [*self._echoes.values()], {}, None
        for echo in echoes:
            echo.fail()

    async def publish(self, messages: Sequence[Message], after: int | None = None) -> Sequence[Outcome]:
        """Send all, a batch at a time; see `base.Broker`."""
        outcomes: list[Outcome] = [_UNSENT] * len(messages)
        epoch = self._link.epoch
        try:
            self._link.require()
            if any(self._registry.route(message.subject) is None for message in messages):
                await self._registry.refresh()
            for number, message in enumerate(messages):
                if self._registry.route(message.subject) is None:
                    outcomes[number] = await self._unrouted(message)
            for run in self._runs(messages, outcomes):
                rest: _Run | None = run
                while rest is not None and rest.numbers:
                    if self._link.epoch != epoch:
                        raise self._link.away()
                    rest = await self._send(rest, outcomes, after)
                if after is not None:
                    after += sum(isinstance(outcomes[number], Published) for number in run.numbers)
        except (Unavailable, Undeclared) as error:
            outcomes = [error if outcome is _UNSENT else outcome for outcome in outcomes]
        return outcomes

    def _runs(self, messages: Sequence[Message], outcomes: list[Outcome]) -> Iterator[_Run]:
        """Split messages into batches, and decide what no broker needs to be asked for."""
        run: _Run | None = None
        for number, message in enumerate(messages):
            known = self._registry.route(message.subject)
            if known is None:
                continue
            try:
                wire.check(message, known.stream)
            except EngineError as error:
                outcomes[number] = error
                continue
            if run is not None and not run.takes(known.stream, message):
                yield run
                run = None
            run = run or _Run(known.stream)
            run.add(number, message)
        if run is not None:
            yield run

    async def _unrouted(self, message: Message) -> Outcome:
        """Ask the server about a message that no stream is known to take: it may not even be allowed."""
        try:
            wire.check(message, Stream(name="", subjects=()))
        except EngineError as error:
            return error
        async with self._turn:
            if self._channel is None or not self._channel.open:
                self._channel = await self._link.channel()
            given = wire.headers(message, datetime.now(UTC))
            sending = self._channel.publish(
                wire.EVENTS, message.subject, message.body, identity=message.id, headers=given
            )
            try:
                await self._link.ask(sending)
            except (library.NotTaken, library.Ended) as error:
                return self._outcome(message, error)
        return _unheard(message)

    async def _send(self, run: _Run, outcomes: list[Outcome], after: int | None) -> _Run | None:
        """Send a batch; return what is to be sent again, when the server refused one of it."""
        echo = await self._echo(run.stream.name)
        marks = [f"{self._name}.{next(self._marks)}" for _ in run.numbers]
        places = [echo.expect(mark) for mark in marks]
        refused: dict[int, BaseException] = {}
        try:
            async with self._turn:  # nobody's batch ends the channel of another's
                sending = await self._start(run, marks)
                refused = await self._settled(sending, places)
            ended = next(((i, e) for i, e in sorted(refused.items()) if isinstance(e, library.Ended)), None)
            if ended is None:
                self._note(run, outcomes, places, refused, after)
                return None
            if not ended[1].forbidden and len(run.numbers) > 1:
                raise self._link.refusal(ended[1], f"store into stream {run.stream.name}")
            culprit = _culprit(run, places, ended[1])
            returned = {i for i, error in refused.items() if isinstance(error, library.NotTaken)}
            await self._wait([place for i, place in enumerate(places[:culprit]) if i not in returned])
            self._note(run, outcomes, places[:culprit], refused, after)
            outcomes[run.numbers[culprit]] = self._outcome(run.messages[culprit], ended[1])
            return run.behind(culprit)
        finally:
            for mark in marks:
                echo.forget(mark)

    async def _start(self, run: _Run, marks: Sequence[str]) -> list[asyncio.Task[None]]:
        if self._channel is None or not self._channel.open:
            self._channel = await self._link.channel()
        now = datetime.now(UTC)
        return [
            self._channel.publish(
                wire.EVENTS, message.subject, message.body,
                identity=message.id, mark=mark, headers=wire.headers(message, now),
            )
            for message, mark in zip(run.messages, marks, strict=True)
        ]  # fmt: skip

    async def _settled(
        self, sending: Sequence[asyncio.Task[None]], places: Sequence[asyncio.Future[int]]
    ) -> dict[int, BaseException]:
        """Wait until all is stored or refused; return what was refused."""
        connection, epoch = self._link.require(), self._link.epoch
        try:
            async with asyncio.timeout(STORE_SECONDS):
                said = await asyncio.gather(*sending, return_exceptions=True)
                refused = {i: error for i, error in enumerate(said) if isinstance(error, BaseException)}
                if any(isinstance(error, library.Gone) for error in refused.values()):
                    if self._link.epoch == epoch:
                        self._link.lose()
                elif not any(isinstance(error, library.Ended) for error in refused.values()):
                    await self._wait([place for i, place in enumerate(places) if i not in refused])
        except TimeoutError as error:
            if await connection.blocked():
                raise self._link.full() from error
            if self._link.epoch == epoch:
                self._link.lose()
            raise self._link.away() from error
        finally:
            for task in sending:
                task.cancel()
        return refused

    async def _wait(self, places: Sequence[asyncio.Future[int]]) -> None:
        waiting = [place for place in places if not place.done()]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=STORE_SECONDS)
            if late:
                self._link.lose()
                raise self._link.away()

    def _note(
        self, run: _Run, outcomes: list[Outcome], places: Sequence[asyncio.Future[int]],
        refused: dict[int, BaseException], after: int | None,
    ) -> None:  # fmt: skip
        """Write down what became of messages, none of which is held behind one that is not known to be."""
        lost = False
        for index, place in enumerate(places):
            number, message = run.numbers[index], run.messages[index]
            if place.done() and not place.cancelled() and place.exception() is None and not lost:
                outcomes[number] = Published(sequence=place.result())
            elif isinstance(refused.get(index), library.NotTaken):
                outcomes[number] = self._outcome(message, refused[index])
            else:
                outcomes[number], lost = self._link.away(), True
        if lost:
            raise self._link.away()
        stored = [o.sequence for n in run.numbers if isinstance(o := outcomes[n], Published)]
        if after is not None and stored and stored[0] <= after:
            name = run.stream.name
            self.fallen[name] = stored[0] - 1
            what = Contended(f"stream {name} stands at {stored[0] - 1}, not at {after}: it has lost messages")
            for number in run.numbers:
                outcomes[number] = what
            raise what

    def _outcome(self, message: Message, error: BaseException) -> Outcome:
        if isinstance(error, library.NotTaken):
            return _unheard(message) if "NO_ROUTE" in str(error) else Unavailable(f"not stored: {error}")
        if isinstance(error, library.Ended) and error.forbidden:
            what = f"this service may not publish {message.subject}"
            return Undeclared(what, hint="declare what it publishes")
        if isinstance(error, library.Ended) and error.invalid:
            what = f"{self._link.address.place} refused message {message.id}: {error}"
            return EngineError(what, hint="a larger message needs a larger max_message_size, or a smaller event")
        return Unavailable(f"{self._link.address.place} did not store message {message.id}: {error}", hint="try again")

    async def _echo(self, stream: str) -> Echo:
        async with self._beginning:  # of two, one would be heard for ever and never asked
            echo = self._echoes.get(stream)
            if echo is None or not echo.open:
                echo = Echo(self._link, stream)
                await echo.begin()
                self._echoes[stream] = echo
            return echo


def _unheard(message: Message) -> Unavailable:
    return Unavailable(f"no stream takes the subject {message.subject}", hint="declare the streams first")


def _culprit(run: _Run, places: Sequence[asyncio.Future[int]], ended: library.Ended) -> int:
    """Say which message made the server end the channel: the first of the subject that it names."""
    open_ones = [i for i, place in enumerate(places) if not place.done()]
    named = [i for i in open_ones if f"'{run.messages[i].subject}'" in ended.text]
    return (named or open_ones or [len(places) - 1])[0]
