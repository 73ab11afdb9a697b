"""What one process has in hand of a subscription: its one session, while somebody uses it.

Who has the session has everything in it, in the order of the topic, and keeps it by saying so ("Message sessions"). So
what is in hand is remembered, delivered again, counted and bounded here, as with a log; Service Bus is told what is
done. Whoever has not used it for a while gives it back.
"""

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from shoal.drivers.base.declared import ConsumerRecord
from shoal.drivers.base.holding import Holding, Letter
from shoal.drivers.base.pauses import reconnecting
from shoal.drivers.base.subjects import covers
from shoal.drivers.servicebus import wire
from shoal.drivers.servicebus.client import IDLE, Got, In, Refused
from shoal.drivers.servicebus.link import SESSION, Link
from shoal.drivers.servicebus.meaning import Gone, Held
from shoal.errors import EngineError, Unavailable, Undeclared

AHEAD = 256
"""Messages that are read before somebody asks for them, at most."""

LINGER = 1.0
"""Seconds for which a session is kept of which nothing is in anybody's hand and that nobody asks for messages."""

AGAIN = 0.3
"""Seconds after which the session's time is begun anew where that failed."""

_numbers = itertools.count(1)


class Reading:
    """One consumer's subscription, from the first time that it is asked until the connection or the session is lost."""

    def __init__(self, link: Link, record: ConsumerRecord) -> None:
        self._link, self._since = link, record.since
        self._place, self._lock = wire.place(record.consumer), wire.lock(record.consumer)
        self._held: dict[int, tuple[Got, Letter]] = {}
        self._in: In | None = None
        self._asked = 0
        self._next = 0
        self._waiting = 0
        self._used = _now()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.number = str(next(_numbers))
        self.epoch = link.pulse.epoch
        self.holding = self._new(record)

    @property
    def good(self) -> bool:
        """Whether what is in hand is still ours."""
        return self.holding.fault is None

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Say that somebody waits for messages."""
        self._waiting += 1
        self.use()
        try:
            yield
        finally:
            self._waiting -= 1
            self.use()

    def use(self) -> None:
        """Say that somebody works on what is in hand."""
        self._used = _now()

    def stir(self) -> None:
        """Take the session, or ask for more of it."""
        if not self.good:
            return
        if self._in is None:
            self._run("take", self._take)
        else:
            self._ask()

    def again(self, record: ConsumerRecord) -> None:
        """Deliver what is in hand once more, from the first."""
        self._since = record.since
        self.holding = self._new(record)
        letters = [letter for _, letter in self._held.values()]
        self.holding.read(letters, self._next)
        for letter in letters:
            if letter.message is not None and not covers(record.consumer.subjects, letter.message.subject):
                self.settle(letter.offset)

    def settle(self, offset: int) -> None:
        """Never hear of a message again."""
        self.holding.settle(offset)
        held = self._held.pop(offset, None)
        if held is not None and self._in is not None:
            self._in.accept(held[0])
            self._ask()

    async def said(self) -> None:
        """Wait until Service Bus has taken what was settled."""
        if self._in is not None:
            await self._in.still()

    async def stop(self) -> None:
        """Ask for nothing more, and keep nothing from others."""
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.give_back()

    def give_back(self) -> None:
        """Let others have the session."""
        session, self._in, self._asked = self._in, None, 0
        if session is not None:
            session.close()
        for offset in [*self._held]:
            self.holding.settle(offset)
        self._held.clear()

    def _new(self, record: ConsumerRecord) -> Holding:
        first = min(self._held, default=self._next)
        return Holding(consumer=record.consumer, made=self.number, next=first, committed=0, epoch=self.epoch)

    def _run(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something unless it is being done."""
        if name not in self._tasks:
            task = self._tasks[name] = asyncio.ensure_future(work())
            task.add_done_callback(lambda _: self._tasks.pop(name, None))

    async def _take(self) -> None:
        """Take the session, or wait until it is free, while somebody wants it."""
        for attempt in itertools.count():
            try:
                session = await self._link.session(self._place, self._got)
            except Held:
                await asyncio.sleep(reconnecting(attempt))
                if not self._waiting:
                    return
            except (EngineError, Undeclared) as error:
                self._fail(error)
                return
            else:
                self._in, self._asked = session, 0
                session.lost = self._lost
                if session.fault is not None:
                    self._lost(session.fault)
                self._run("keep", self._keep)
                self._ask()
                return

    def _ask(self) -> None:
        """Have credit for as much as there is room for."""
        room = min(AHEAD, self.holding.consumer.max_in_hand - len(self._held)) - self._asked
        if self._in is not None and self.holding.wants and room > 0:
            self._asked += room
            self._in.credit(room)

    def _got(self, got: Got) -> None:
        self._asked -= 1
        letter = wire.read(got.carried, self._next)
        if letter is None or letter.message is None or self._strange(got, letter.message.subject):
            if self._in is not None:
                self._in.accept(got)  # of what is too old another comes, behind those from before
        else:
            self._held[letter.offset] = (got, letter)
            self._next += 1
            self.holding.read([letter], self._next)
        self._ask()

    def _strange(self, got: Got, subject: str) -> bool:
        return wire.made(got.carried) < self._since or not covers(self.holding.consumer.subjects, subject)

    async def _keep(self) -> None:
        """Begin the time of the session anew, again and again, while somebody uses the consumer."""
        until, pause = _now() + self._lock, LINGER
        while (session := self._in) is not None:
            await asyncio.sleep(pause)
            pause = LINGER
            if self._in is not session:
                until = _now()
                continue
            if self._idle():
                self.give_back()
                return
            if until - _now() > self._lock * 2 / 3:
                continue
            began = _now()
            try:
                await self._link.manage(self._place, "renew-session-lock", {"session-id": SESSION}, session.name)
            except (EngineError, Undeclared):  # it is tried again soon, or over
                pause = AGAIN
                if until <= _now():
                    session.close()
                    self._fail(Unavailable(f"the session of {self._place} could not be kept"))
            else:
                until = began + self._lock

    def _idle(self) -> bool:
        patience = max(self.holding.consumer.ack_wait, LINGER) if self.holding.due else LINGER
        return not self._waiting and _now() - self._used > patience

    def _lost(self, fault: Refused) -> None:
        if fault.condition == IDLE and not self._held:
            self._in, self._asked = None, 0
            if self._waiting:
                self._run("take", self._take)
            return
        self._fail(Unavailable(f"the session of {self._place} is lost: {fault}", hint="it is taken again"))

    def _fail(self, error: EngineError | Undeclared) -> None:
        if isinstance(error, Gone):
            consumer = self.holding.consumer
            fault: Unavailable | Undeclared = Unavailable(
                f"there is no consumer {consumer.name} of stream {consumer.stream}"
            )
            fault.__cause__ = error
        elif isinstance(error, (Unavailable, Undeclared)):
            fault = error
        else:
            fault = Unavailable(error.message, hint=error.hint)
        self._in = None
        self.holding.fail(fault)


def _now() -> float:
    return asyncio.get_running_loop().time()
