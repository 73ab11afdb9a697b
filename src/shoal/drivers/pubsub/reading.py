"""What one process has in hand of a subscription.

Pub/Sub gives out nothing more of a key while messages of it are in somebody's hand, or gives it to the same one; what
comes again comes in the order of its key ("Order messages"). A message is in hand for the time of the subscription.
While its consumer is in use, the time of all that is in hand is begun anew together, so that nothing of a key comes to
somebody else before what precedes it. Here it is remembered, delivered again, counted and bounded, as with a log.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from shoal.drivers.base.declared import ConsumerRecord
from shoal.drivers.base.holding import Holding, Letter
from shoal.drivers.base.subjects import covers
from shoal.drivers.pubsub import wire
from shoal.drivers.pubsub.answers import SHOW, Answers
from shoal.drivers.pubsub.link import Gone, Late, Link
from shoal.errors import EngineError, Unavailable, Undeclared

LINGER = 1.0
"""Seconds for which messages are still taken when nobody asks; what comes then is given back."""

BRIEF = 3.0
"""A request for messages that waits no longer is waited for when a reader leaves. The emulator does not notice that
nobody waits for its answer any more, and puts messages into no hand for ten seconds.
"""

MARGIN = 1.0
"""Seconds before its end when a message no longer counts as in hand."""

AGAIN = 0.3
"""Seconds after which the time in hand is begun anew where that failed."""

PAUSE = 0.02
"""Seconds between a request that found nothing and the next."""

_numbers = itertools.count(1)


@dataclass(slots=True)
class _Held:
    """A message in hand."""

    name: str
    answer: str
    letter: Letter
    until: float


class Reading:
    """One consumer's subscription, from the first time that it is asked until the connection is lost."""

    def __init__(self, link: Link, record: ConsumerRecord) -> None:
        consumer = record.consumer
        self._link, self._since, self._seconds = link, record.since, wire.deadline(consumer)
        self._path = link.subscription(wire.subscription_name(consumer.stream, consumer.name))
        self._held: dict[int, _Held] = {}
        self._offsets: dict[str, int] = {}
        self._next = 0
        self._waiting = 0
        self._used = _now()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self.answers = Answers(link, self._path)
        self.number = str(next(_numbers))
        self.epoch = link.pulse.epoch
        self.holding = self._new(record)

    @property
    def good(self) -> bool:
        """Whether what is in hand can still be answered: an emulator that was started again counts its ids anew."""
        return self.epoch == self._link.pulse.epoch and self.holding.fault is None

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
            if not self._waiting:
                self._run("linger", self._linger)

    def use(self) -> None:
        """Say that somebody works on what is in hand."""
        self._used = _now()

    def stir(self, limit: int) -> None:
        """Ask for messages, unless whoever wants them has got some by now: others may want the rest."""
        asyncio.get_running_loop().call_soon(self._ask, limit)

    def again(self, record: ConsumerRecord) -> None:
        """Deliver what is in hand once more, from the first; unless some of it may be in another's hand by now."""
        self._since, self._seconds = record.since, wire.deadline(record.consumer)
        self._let_go_of_expired()
        self.holding = self._new(record)
        letters = [held.letter for held in self._held.values()]
        self.holding.read(letters, self._next)
        for letter in letters:
            if letter.message is not None and not covers(record.consumer.subjects, letter.message.subject):
                self.settle(letter.offset)

    def settle(self, offset: int) -> None:
        """Never hear of a message again."""
        self.holding.settle(offset)
        held = self._held.pop(offset, None)
        if held is not None:
            del self._offsets[held.name]
            self.answers.done(held.answer)

    async def give_back(self) -> None:
        """Let others have what is in hand, after everything else is said; raises as `Link.ask` does."""
        answers = [held.answer for held in self._held.values()]
        self._let_go(self._held)
        await self.answers.flush()
        await self.answers.extend(answers, SHOW)

    async def stop(self) -> None:
        """Ask for nothing more, and keep nothing from others."""
        if self._link.address.wait <= BRIEF and "pull" in self._tasks:
            await asyncio.wait({self._tasks["pull"]}, timeout=BRIEF + 1.0)
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ask(self, limit: int) -> None:
        room = self.holding.consumer.max_in_hand - len(self._held)
        if self._waiting and not self.holding.ready and room > 0 and self.good:
            self._run("pull", lambda: self._pull(min(limit, room, wire.BATCH)))

    def _new(self, record: ConsumerRecord) -> Holding:
        first = min(self._held, default=self._next)
        return Holding(consumer=record.consumer, made=self.number, next=first, committed=0, epoch=self.epoch)

    def _run(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do something unless it is being done."""
        if name not in self._tasks:
            task = self._tasks[name] = asyncio.ensure_future(work())
            task.add_done_callback(lambda ended: self._tasks.get(name) is ended and self._tasks.pop(name))

    async def _pull(self, limit: int) -> None:
        consumer = self.holding.consumer
        try:
            found = await self._link.ask("POST", f"{self._path}:pull", {"maxMessages": limit}, lane="hear")
        except Late:
            await asyncio.sleep(PAUSE)
            self._received(())
        except Gone as error:
            fault = Unavailable(f"there is no consumer {consumer.name} of stream {consumer.stream}")
            fault.__cause__ = error
            self.holding.fail(fault)
        except (Unavailable, Undeclared) as error:
            self.holding.fail(error)
        except EngineError as error:
            self.holding.fail(Unavailable(error.message, hint=error.hint))
        else:
            received = found.get("receivedMessages", ())
            if not received:
                await asyncio.sleep(PAUSE)  # it need not have waited
            self._received(received)

    def _received(self, received: Sequence[Mapping[str, Any]]) -> None:
        self._tasks.pop("pull", None)  # another may be asked for at once
        letters: list[Letter] = []
        until = _now() + self._seconds - MARGIN
        for one in received:
            found = wire.read(one)
            subjects = self.holding.consumer.subjects
            if found is None or found.head.made < self._since or not covers(subjects, found.message.subject):
                self.answers.done(str(one["ackId"]))  # of what is too old another comes, behind those from before
            elif found.name in self._offsets:
                held = self._held[self._offsets[found.name]]
                held.answer, held.until = found.answer, until
            else:
                letter = Letter(self._next, found.at, found.message, "", found.head.place)
                self._held[letter.offset] = _Held(found.name, found.answer, letter, until)
                self._offsets[found.name] = letter.offset
                self._next += 1
                letters.append(letter)
        self.holding.read(letters, self._next)
        if self._held:
            self._run("keep", self._keep)
        if letters and not self._waiting:
            self._run("linger", self._linger)

    async def _keep(self) -> None:
        """Begin the time of all that is in hand anew, again and again, while somebody uses the consumer."""
        pause = self._seconds / 3
        while self._held:
            await asyncio.sleep(pause)
            pause = AGAIN
            with contextlib.suppress(EngineError, Undeclared):  # it is tried again soon, or over
                if not self._waiting and _now() - self._used > max(self.holding.consumer.ack_wait, LINGER):
                    await self.give_back()
                    return
                self._let_go_of_expired()
                began, held = _now(), [*self._held.values()]
                await self.answers.extend([each.answer for each in held], self._seconds)
                for each in held:
                    each.until = began + self._seconds - MARGIN
                pause = self._seconds / 3

    async def _linger(self) -> None:
        """Give back what nobody asks for, but nothing that comes behind what somebody has of its key."""
        await asyncio.sleep(LINGER)
        if self._waiting:
            return
        taken = {self._key(offset) for offset in self.holding.due}
        free = [letter.offset for letter in self.holding.ready if self._key(letter.offset) not in taken]
        answers = [self._held[offset].answer for offset in free if offset in self._held]
        self._let_go(free)
        with contextlib.suppress(EngineError, Undeclared):
            await self.answers.extend(answers, SHOW)

    def _key(self, offset: int) -> str:
        held = self._held.get(offset)
        message = held.letter.message if held is not None else None
        return message.key or f"\0{offset}" if message is not None else ""

    def _let_go_of_expired(self) -> None:
        """Forget everything if something may have come to somebody else: all of it comes again, in order."""
        if any(held.until <= _now() for held in self._held.values()):
            self._let_go(self._held)

    def _let_go(self, offsets: Sequence[int] | Mapping[int, object]) -> None:
        for offset in [*offsets]:
            held = self._held.pop(offset, None)
            self.holding.settle(offset)
            if held is not None:
                del self._offsets[held.name]


def _now() -> float:
    return asyncio.get_running_loop().time()
