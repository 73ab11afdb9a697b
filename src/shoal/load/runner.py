"""Lets visitors arrive at a rate that does not ask how the system is, and measures what they meet.

The model is open: who arrives does not wait for who came before. Each request has a time at which it was due: the
visitor's arrival, or the end of his thinking. Its latency counts from there (G. Tene's coordinated omission), beside
the usual one from when it was sent. How late the generator itself was is measured by the same clock, and doubts what
it was too slow for.
"""

import asyncio
import math
import secrets
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Generic, TypeVar, cast

import msgspec

from shoal.errors import ShoalError
from shoal.load.answer import REFUSALS, Answer, Left
from shoal.load.journeys import Journey, Load
from shoal.load.operations import Operations
from shoal.load.recorder import Recorder, Series
from shoal.load.schedule import arrivals
from shoal.load.visitor import Tokens, Visitor
from shoal.load.wire import Browser, Lost, Site

T = TypeVar("T")

clock = time.perf_counter


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for."""

    rate: float
    """Visitors per second."""
    seconds: float = math.inf
    """How long they arrive."""
    ramp: float = 0.0
    """Seconds in which the rate rises."""
    seed: int = 1
    at_most: int = 256
    """Requests under way at a time; those beyond wait, and that counts."""
    visitors: int = 5_000
    """At a time; those beyond are turned away, and the run is not valid."""
    think: float = 1.0
    """By what the time that visitors think is multiplied."""
    patience: float = 10.0
    """Seconds after which a visitor waits for an answer no more."""
    drain: float = 30.0
    """Seconds that visitors have to finish after the last has arrived."""


class Run(Generic[T]):
    """One run of a load."""

    def __init__(self, load: Load[T], site: Site, order: Order, operations: Operations, tokens: Tokens) -> None:
        self.load, self.site, self.order, self.operations, self.tokens = load, site, order, operations, tokens
        self.recorder = Recorder()
        self.slots = asyncio.Semaphore(order.at_most)
        self.name = secrets.token_hex(6)
        """Unlike that of any other run."""
        self.began = self.last = self.ended = 0.0
        """When visitors began to arrive, when they ceased to, and when all were gone."""
        self._traces = 0
        self._visits: set[asyncio.Task[None]] = set()

    @property
    def present(self) -> int:
        """How many visitors there are."""
        return len(self._visits)

    async def drive(self, stop: asyncio.Event) -> None:
        """Carry it out, until the time is over or `stop` is set; then visitors under way are cut off."""
        stopping, preparing = asyncio.ensure_future(stop.wait()), asyncio.ensure_future(self._prepared())
        try:
            await _either(preparing, stopping, None)
            if stop.is_set():
                return
            for (
                journey
            ) in self.load.journeys:  # the first signature takes a while, for which nobody should have to wait
                self._bearer(journey)
            self.began = clock()
            await _either(asyncio.ensure_future(self._arrive(preparing.result())), stopping, None)
            self.last = clock()
            if not stop.is_set():
                await _either(asyncio.ensure_future(self._empty()), stopping, self.order.drain)
        finally:
            self.last = self.last or clock()
            self.ended = clock()
            stopping.cancel()
            for task in self._visits:
                task.cancel()
            await asyncio.gather(*self._visits, return_exceptions=True)

    def trace(self) -> str:
        """Make the id of a new trace."""
        self._traces += 1
        return f"{self.name}{self._traces:020x}"

    async def _prepared(self) -> T:
        if self.load.prepare is None:
            return cast("T", None)
        way = _Unmeasured(self)
        asking: Visitor[None] = Visitor(
            way, data=None, name=f"{self.name}-0", random=Random(f"{self.order.seed}/0"),  # noqa: S311 - no secret
            think=self.load.journeys[0].think, tokens=self.tokens,
        )  # fmt: skip
        try:
            return await self.load.prepare(asking)
        except Exception as error:
            raise ShoalError(
                f"the load could not be prepared: {_told(error)}",
                hint="no visitor has come; see `shoal ps` and `shoal why`",
            ) from error
        finally:
            way.close()

    async def _empty(self) -> None:
        """Wait until nobody is there."""
        while self._visits:
            await asyncio.wait(tuple(self._visits))

    def _bearer(self, journey: Journey[T]) -> str:
        who = journey.persona
        return self.tokens(who.subject, who.roles, who.claims) if who is not None else ""

    async def _arrive(self, data: T) -> None:
        order = self.order
        random = Random(f"{order.seed}/arrivals")  # noqa: S311 - no secret
        times = arrivals(order.rate, ramp=order.ramp, seconds=order.seconds, random=random)
        for number, at in enumerate(times, 1):
            due = self.began + at
            await until(due)
            self.recorder.lateness.record(max(0.0, clock() - due))
            own = Random(f"{order.seed}/{number}")  # noqa: S311 - no secret
            journey = self.load.choose(own)
            if len(self._visits) >= order.visitors:
                self.recorder.tallies[journey.name].turned_away += 1
                continue
            way = Measured(self, journey.name, number, due)
            visitor = Visitor(
                way, data=data, name=f"{self.name}-{number}", random=own, think=journey.think, tokens=self.tokens
            )
            task = asyncio.ensure_future(self._visit(journey, visitor, way))
            self._visits.add(task)
            task.add_done_callback(self._visits.discard)
        if math.isfinite(order.seconds):
            await until(self.began + order.seconds)

    async def _visit(self, journey: Journey[T], visitor: Visitor[T], way: "Measured") -> None:
        tally = self.recorder.tallies[journey.name]
        tally.begun += 1
        try:
            visitor.bearer = self._bearer(journey)
            await journey.run(visitor)
        except Left:
            tally.left += 1
        except asyncio.CancelledError:
            tally.cut += 1
            raise
        except Exception as error:  # noqa: BLE001 - of the author; the run goes on, and says so
            tally.broken += 1
            self.recorder.broken = self.recorder.broken or _told(error)
        else:
            tally.finished += 1
        finally:
            way.close()


class Measured:
    """Carries the requests of one visitor, and measures them."""

    def __init__(self, run: Run[Any], journey: str, number: int, due: float) -> None:
        self._run, self._journey, self._due = run, journey, due
        self._browser = Browser(run.site, number)

    async def wait(self, seconds: float) -> None:
        """Let the next request be due so much later; so long it is thought over."""
        self._due = (self._due or clock()) + seconds * self._run.order.think
        await until(self._due)
        self._run.recorder.lateness.record(max(0.0, clock() - self._due))

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, expect: Sequence[int]
    ) -> Answer:
        """Send one request that is due now."""
        now = clock()
        due, self._due = min(self._due or now, now), 0.0
        operation = self._run.operations.name(method, path)
        found = self._run.recorder.series(operation, self._journey)
        trace = self._run.trace()
        traced = {**headers, "traceparent": f"00-{trace}-{trace[-16:]}-01"}
        sent = 0.0

        async def send() -> Answer:
            nonlocal sent
            if self._run.slots.locked():
                self._run.recorder.queued += 1
            async with asyncio.timeout(max(0.0, due + self._run.order.patience - now)), self._run.slots:
                sent = clock()
                return await self._browser.ask(method, path, traced, body)

        try:
            answer, lost = await _tried(send)
        except asyncio.CancelledError:
            for series in found:
                series.cut += 1
            raise
        if lost == TIMEOUT and not sent:
            lost = NOT_SENT
        trouble = lost or ("" if answer.status < 400 or answer.status in expect else _named(answer))
        _count(found, trouble, answer.status, (clock() - due, clock() - sent if sent else 0.0))
        if trouble:
            self._run.recorder.trouble(operation, trouble, answer.headers.get("x-trace-id", "") or trace)
            raise Left(f"{method} {path}: {trouble}", answer=None if lost else answer)
        return answer

    def close(self) -> None:
        """Hang up."""
        self._browser.close()


class _Unmeasured:
    """Carries the requests of preparation."""

    def __init__(self, run: Run[Any]) -> None:
        self._browser, self._patience = Browser(run.site, secrets.randbelow(1 << 24)), run.order.patience

    async def wait(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, expect: Sequence[int]
    ) -> Answer:
        """Send one request."""

        async def send() -> Answer:
            async with asyncio.timeout(self._patience):
                return await self._browser.ask(method, path, headers, body)

        answer, lost = await _tried(send)
        if lost or (answer.status >= 400 and answer.status not in expect):
            raise Left(f"{method} {path}: {lost or _named(answer)}", answer=None if lost else answer)
        return answer

    def close(self) -> None:
        """Hang up."""
        self._browser.close()


TIMEOUT, NOT_SENT = "timeout", "not sent in time"


async def until(moment: float) -> None:
    """Sleep until a time of `clock`; the loop gets its turn also when that has passed."""
    await asyncio.sleep(max(0.0, moment - clock()))


async def _tried(send: Callable[[], Awaitable[Answer]]) -> tuple[Answer, str]:
    """Send, and name what went wrong on the way."""
    try:
        return await send(), ""
    except TimeoutError:
        return Answer(status=0), TIMEOUT
    except Lost:
        return Answer(status=0), "connection lost"
    except OSError as error:
        return Answer(status=0), f"no connection ({error.strerror or type(error).__name__})"


def _told(error: Exception) -> str:
    """Say what a journey failed with, and at which line of its author's."""
    if isinstance(error, Left):
        return error.message
    places = [place for place in traceback.extract_tb(error.__traceback__) if not _ours(place.filename)]
    where = f"{places[-1].filename}:{places[-1].lineno}: " if places else ""
    return f"{where}{type(error).__name__}: {error}"


def _ours(file: str) -> bool:
    return "site-packages" in file or Path(file).parent == Path(__file__).parent


def _named(answer: Answer) -> str:
    return f"{answer.status} {answer.code}".strip()


def _count(found: Sequence[Series], trouble: str, status: int, took: tuple[float, float]) -> None:
    """Count how a request ended; how long is kept of what succeeded, and of what was waited for in vain."""
    for series in found:
        if not trouble:
            series.succeeded += 1
        elif status in REFUSALS:
            series.refused[trouble] += 1
        else:
            series.failed[trouble] += 1
        if not trouble or trouble in (TIMEOUT, NOT_SENT):
            series.corrected.record(took[0])
            if trouble != NOT_SENT:
                series.uncorrected.record(took[1])


async def _either(work: "asyncio.Future[Any]", stopping: "asyncio.Future[Any]", within: float | None) -> None:
    """Wait for work, unless it is stopped; what is not done is cancelled, what has failed is raised."""
    try:
        await asyncio.wait((work, stopping), timeout=within, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
