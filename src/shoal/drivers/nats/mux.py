"""Tasks that wait for what arrives on a connection."""

import asyncio

from shoal.drivers.nats.client import Incoming
from shoal.errors import ShoalError, Unavailable, Undeclared

LISTEN = "listen at its inbox"


def undeclared(what: str) -> Undeclared:
    """Say what this user may not do."""
    hint = "declare what the service publishes and consumes; its permissions follow from that"
    return Undeclared(f"NATS does not let this user {what}", hint=hint)


class Silence(Unavailable):
    """Report that an answer did not come in time: the connection may lead nowhere."""


class Waiter:
    """One task that waits; `fail` ends its wait with an error."""

    def __init__(self) -> None:
        self._signal: asyncio.Future[bool] | None = None
        self._error: ShoalError | None = None

    def refused(self, subject: str) -> None:
        """Learn that this user may not publish to a subject, given in lower case, or not listen when it is empty."""
        raise NotImplementedError

    def fail(self, error: ShoalError) -> None:
        """End the wait with an error."""
        if self._error is None:
            self._error = error
        self.wake()

    def wake(self) -> None:
        """Let the task look again."""
        if self._signal is not None and not self._signal.done():
            self._signal.set_result(True)

    def check(self) -> None:
        """Raise the error, if there is one."""
        if self._error is not None:
            raise self._error

    async def pause(self, seconds: float, lateness: str) -> None:
        """Wait until `wake`; `Silence` with the text `lateness` when that takes longer."""
        self.check()
        loop = asyncio.get_running_loop()
        signal = self._signal = loop.create_future()
        timer = loop.call_later(seconds, _end, signal)  # asyncio.wait costs two more turns of the loop
        try:
            awoken = await signal
        finally:
            timer.cancel()
        if not awoken:
            raise Silence(lateness, hint="try again; what was stored already is not stored twice")
        self.check()


def _end(signal: "asyncio.Future[bool]") -> None:
    """End a wait for which nothing came."""
    if not signal.done():
        signal.set_result(False)


class Asking(Waiter):
    """A task that waits for what it asked at one subject."""

    def __init__(self, subject: str) -> None:
        super().__init__()
        self.subject = subject

    def refused(self, subject: str) -> None:
        """Compare with the subject of the request."""
        if not subject or self.subject.lower() == subject:
            self.fail(undeclared(f"publish to {self.subject}" if subject else LISTEN))


class Answered(Waiter):
    """A task that waits for answers to what it numbered."""

    def receive(self, number: str, message: Incoming) -> None:
        """Take the answer to one of them."""
        raise NotImplementedError


class Mux:
    """Everybody who waits on one connection: its `Listener`, and the `Handler` of its answers."""

    PART = "a"
    """Part of the inbox for answers; tokens are ``a.<name>-<number>``."""

    def __init__(self) -> None:
        self._waiters: set[Waiter] = set()
        self._answered: dict[str, Answered] = {}
        self._count = 0

    def enter(self, waiter: Answered) -> str:
        """Add a waiter for answers and return the token that its numbers follow."""
        self._count += 1
        self._answered[str(self._count)] = waiter
        self._waiters.add(waiter)
        return f"{self.PART}.{self._count}-"

    def leave(self, token: str) -> None:
        """Remove a waiter for answers."""
        self._waiters.discard(self._answered.pop(token[2:-1]))

    def watch(self, waiter: Waiter) -> None:
        """Add a waiter whose messages reach it in another way."""
        self._waiters.add(waiter)

    def forget(self, waiter: Waiter) -> None:
        """Remove such a waiter."""
        self._waiters.discard(waiter)

    def receive(self, message: Incoming) -> None:
        """Hand an answer over; one that comes too late is nobody's."""
        name, _, number = message.subject.rpartition(".")[2].partition("-")
        waiter = self._answered.get(name)
        if waiter is not None:
            waiter.receive(number, message)

    def lost(self) -> None:
        """End every wait: the answers will not come."""
        for waiter in tuple(self._waiters):
            waiter.fail(Unavailable("the connection to NATS was lost", hint="try again"))

    def refused(self, subject: str) -> None:
        """End the waits for a subject that this user may not use, or all when it is the inbox."""
        for waiter in tuple(self._waiters):
            waiter.refused(subject)
