"""What becomes of messages that failed: another attempt later, or a dead letter."""

import contextlib
import logging

import msgspec

from shoal.drivers.base import Published
from shoal.errors import EngineError
from shoal.runtime.consuming.attempts import MOST_TRIES, Attempts, Tally, attempt
from shoal.runtime.consuming.desk import Desk
from shoal.runtime.consuming.item import Item
from shoal.runtime.consuming.letters import Letter, letter_message, letter_of
from shoal.runtime.failures import asked, is_outage, pause, plain, spell
from shoal.runtime.privacy.masking import masked, without

LONGEST_BACKOFF = 30.0

_log = logging.getLogger("shoal.consumer")


class Burial:
    """Decides about failed messages of one consumer, and writes their letters."""

    def __init__(self, desk: Desk, tally: Tally, stream: str) -> None:
        self._desk, self._tally, self._stream = desk, tally, stream

    async def failed(self, item: Item, error: Exception, now: float) -> str:
        """Note a failure and decide what follows; an absent engine or service is never the message's fault.

        Returns:
            ``duplicate``, ``retried`` or ``dying``.
        """
        if await self._repeats(item, error):
            return "duplicate"
        if is_outage(error):
            item.outages += 1
            item.due = now + max(delay(_backoff(item), item.outages), asked(error))
            _log.warning("%s met an outage, which is no attempt: %s", _name(item), without(item, spell(error)))
            await self.undo(item)
            return "retried"
        noted, item.noted = item.noted, False
        new = masked(item, attempt(error, self._desk.replica, self._desk.clock.now()))
        attempts = item.attempts.corrected(new) if noted else item.attempts.failed(new)
        return await self._counted(item, attempts, error, now)

    async def _repeats(self, item: Item, error: Exception) -> bool:
        """Tell whether it failed on what it did the first time, which it may meet before its mark."""
        return not is_outage(error) and item.mark is not None and bool(await self._desk.store.handled([item.mark]))

    async def _counted(self, item: Item, attempts: Attempts, error: Exception, now: float) -> str:
        """Write down the attempts at a message, and decide."""
        most = item.subscriber.policy.attempts if item.subscriber is not None else 1
        text = attempts.history[-1].error if attempts.history else item.fault
        if item.fault or attempts.count >= most:
            item.fault = item.fault or text
            attempts = msgspec.structs.replace(attempts, state="dying")
            _log.error(
                "%s gave up after %d attempts: %s",
                _name(item),
                attempts.count,
                text,
                exc_info=None if item.opened else error,
            )
        else:
            item.due = now + delay(_backoff(item), attempts.count)
            shown = error if attempts.count == 1 and not item.opened else None
            _log.warning("%s failed, attempt %d of %d: %s", _name(item), attempts.count, most, text, exc_info=shown)
        item.attempts = attempts
        await self.write(item)
        return "dying" if attempts.state == "dying" else "retried"

    async def write(self, item: Item) -> None:
        """Write down the attempts; while the store is away they are remembered here."""
        self._tally.note(item.id, item.attempts)
        try:
            async with self._desk.store.session() as session:
                self._tally.write(session, item.id, item.attempts, self._desk.clock.now())
        except EngineError as error:
            _log.warning("the attempts at %s could not be written down: %s", item.id, error.message)

    async def erase(self, item: Item) -> None:
        """Remove what is written of the attempts at a message that was handled elsewhere."""
        with contextlib.suppress(EngineError):  # it is let go of with time, too
            async with self._desk.store.session() as session:
                self._tally.forget(session, item.id)

    async def undo(self, item: Item) -> None:
        """Take back the present attempt, if it was written down before it began."""
        if item.noted:
            item.noted = False
            item.attempts = item.attempts.undone()
            await self.write(item)

    async def bury(self, item: Item) -> None:
        """Copy a message to the dead letters, and only then take it out of the way.

        Whatever happens in between, it is written again under the same id, and not handled any more: also when a dead
        message comes once more, since the broker that delivers it may have lost its letter.

        Raises:
            EngineError: The broker does not take the letter now.
            Undeclared: No stream takes dead letters, or this service has no right to write them.
        """
        if item.attempts.state == "trying":
            _log.error("message %s of %s becomes a dead letter: %s", item.id, _name(item), plain(item.fault))
            item.attempts = msgspec.structs.replace(item.attempts, state="dying")
            await self.write(item)
        letter = letter_message(self._desk.system, self._letter(item), item.message)
        (outcome,) = await self._desk.broker.publish([letter])
        if not isinstance(outcome, Published):
            raise outcome
        item.attempts = msgspec.structs.replace(item.attempts, state="dead")
        await self.write(item)
        await item.drop()

    def _letter(self, item: Item) -> Letter:
        message, envelope, before = item.message, item.envelope, letter_of(item.message)
        last = item.attempts.history[-1:]
        return Letter(
            service=self._desk.service,
            consumer=self._tally.consumer,
            stream=before.stream if before is not None else self._stream,
            sequence=before.sequence if before is not None else item.delivery.sequence,
            subject=before.subject if before is not None else message.subject,
            message=before.message if before is not None else message.id,
            sent=message.id if before is not None else "",
            error=plain(item.fault),
            at=self._desk.clock.now(),
            event=envelope.id if envelope is not None else "",
            type=envelope.type if envelope is not None else "",
            key=envelope.subject if envelope is not None and isinstance(envelope.subject, str) else "",
            made=item.mark.at if item.mark is not None else None,
            trace=envelope.traceparent if envelope is not None and isinstance(envelope.traceparent, str) else "",
            stack=last[0].stack if last else (),
            attempts=item.attempts.count,
            history=(*(before.history if before is not None else ()), *item.attempts.history)[-MOST_TRIES:],
            original=before.original if before is not None else None,
            again=before.again if before is not None else 0,
        )


def delay(backoff: float, attempt: int) -> float:
    """Say how many seconds to wait after an attempt."""
    return pause(backoff, attempt, most=LONGEST_BACKOFF)


def _backoff(item: Item) -> float:
    return item.subscriber.policy.backoff if item.subscriber is not None else 0.5


def _name(item: Item) -> str:
    return item.subscriber.name if item.subscriber is not None else f"the consumer of {item.message.subject}"
