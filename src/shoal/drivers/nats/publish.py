"""Publish many messages at a time and hear what became of each."""

from collections.abc import Sequence

from shoal.drivers.base import Message, Outcome, Published
from shoal.drivers.nats import wire
from shoal.drivers.nats.client import Connection, Incoming
from shoal.drivers.nats.mux import LISTEN, Answered, Mux, Silence, undeclared
from shoal.errors import Contended, EngineError, Unavailable

WINDOW = 512
"""Messages in flight while publishing."""

ANSWER_SECONDS = 5.0
"""Without any answer for so long, the broker is away."""


class Publisher:
    """The publications of one connection."""

    def __init__(self, connection: Connection, mux: Mux) -> None:
        self._connection = connection
        self._mux = mux

    async def publish(self, messages: Sequence[Message], after: int | None = None) -> Sequence[Outcome]:
        """Send all, keeping a window of them unacknowledged; see `base.Broker`."""
        batch = _Batch(messages)
        token = self._mux.enter(batch)
        try:
            await self._send_all(batch, token, messages, after)
        except Unavailable as error:  # what was sent after a gap would overtake what fell into it
            batch.give_up(error)
            if isinstance(error, Silence):
                await self._connection.doubt()
        finally:
            self._mux.leave(token)
        return batch.outcomes

    async def _send_all(self, batch: "_Batch", token: str, messages: Sequence[Message], after: int | None) -> None:
        for number, message in enumerate(messages):
            while len(batch.waiting) >= WINDOW:
                await batch.settle(WINDOW // 2)
            batch.check()
            batch.waiting.add(number)
            try:
                headers = wire.headers(message, None if after is None else after + number)
                await self._connection.send(message.subject, message.body, token=f"{token}{number}", headers=headers)
            except Unavailable:
                raise
            except EngineError as error:
                batch.decide(number, error)
        while batch.waiting:
            await batch.settle(0)


class _Batch(Answered):
    """Publications, and what is known of each."""

    def __init__(self, messages: Sequence[Message]) -> None:
        super().__init__()
        self.waiting: set[int] = set()
        self.outcomes: list[Outcome] = [_UNSENT] * len(messages)
        self._messages = messages
        self._enough = 0

    async def settle(self, enough: int) -> None:
        """Wait until at most so many are left."""
        self._enough = enough
        await self.pause(ANSWER_SECONDS, f"NATS acknowledged nothing for {ANSWER_SECONDS:g} s")

    def decide(self, number: int, outcome: Outcome) -> None:
        """Note what became of a message."""
        self.waiting.discard(number)
        self.outcomes[number] = outcome
        if len(self.waiting) <= self._enough:
            self.wake()

    def give_up(self, error: Unavailable) -> None:
        """Note that nothing is known of the rest."""
        self.waiting.clear()
        self.outcomes = [error if outcome is _UNSENT else outcome for outcome in self.outcomes]

    def receive(self, number: str, message: Incoming) -> None:
        """Take an acknowledgement; that of a duplicate is one too."""
        self.decide(int(number), _outcome(message, self._messages[int(number)]))

    def refused(self, subject: str) -> None:
        """Learn that the server takes nothing for a subject from this user, or no answers at all when it is empty."""
        for number in tuple(self.waiting):
            wanted = self._messages[number].subject
            if not subject or wanted.lower() == subject:
                self.decide(number, undeclared(f"publish to {wanted}" if subject else LISTEN))


_UNSENT = Unavailable("not sent, because the connection to NATS was lost before", hint="try again")


def _outcome(message: Incoming, sent: Message) -> Outcome:
    if message.headers and message.headers.get(wire.STATUS) == wire.NO_RESPONDERS:
        return Unavailable(f"no stream takes the subject {sent.subject}", hint="declare the streams first")
    answer = wire.stored(message.data)
    fault = answer.error
    if fault is None:
        return Published(sequence=answer.seq, duplicate=answer.duplicate)
    what = f"NATS did not store message {sent.id} for {sent.subject}: {fault.description} ({fault.err_code})"
    if fault.err_code == wire.WRONG_LAST_SEQUENCE:
        return Contended(what)
    if fault.err_code in wire.UNACCEPTABLE:
        return EngineError(what, hint="a larger message needs a larger limit of the stream, or a smaller event")
    return Unavailable(what)
