"""Publish messages in order, ten at a time, and hear what became of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shoal.drivers.base import Message, Outcome, Published
from shoal.drivers.base.pulse import Places
from shoal.drivers.sns import wire
from shoal.drivers.sns.link import Gone, Link, Untaken
from shoal.drivers.sns.registry import Registry
from shoal.drivers.sns.wire import Record
from shoal.errors import EngineError, Unavailable, Undeclared, Unstorable

_UNSENT = Unavailable("not sent, because SNS was not reached before", hint="try again")


@dataclass(slots=True)
class _Run:
    """Messages that go into one topic in one request; of each key one, since each may fail alone."""

    record: Record
    numbers: list[int] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    groups: set[str] = field(default_factory=set)
    size: int = 0

    def takes(self, record: Record, entry: dict[str, Any]) -> bool:
        """Tell whether one more fits."""
        return (
            self.record == record
            and len(self.numbers) < wire.BATCH
            and entry["MessageGroupId"] not in self.groups
            and self.size + wire.size(entry) <= wire.LARGEST
        )

    def add(self, number: int, entry: dict[str, Any]) -> None:
        """Add one."""
        self.numbers.append(number)
        self.entries.append(entry)
        self.groups.add(entry["MessageGroupId"])
        self.size += wire.size(entry)


class Publisher:
    """The publications of one connection."""

    def __init__(self, link: Link, registry: Registry) -> None:
        self._link, self._registry = link, registry
        self._places = Places()

    async def publish(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Send all, a batch at a time; see `base.Broker`. No topic says where a message stands, so places are 0."""
        outcomes: list[Outcome] = [_UNSENT] * len(messages)
        try:
            if any(self._registry.route(message.subject) is None for message in messages):
                await self._registry.refresh()
            for run in self._runs(messages, outcomes):
                await self._send(run, outcomes)
        except EngineError as error:  # nothing after it is sent
            failure = error if isinstance(error, Unavailable) else Unavailable(error.message, hint=error.hint)
            outcomes = [failure if outcome is _UNSENT else outcome for outcome in outcomes]
        except Undeclared as error:
            outcomes = [error if outcome is _UNSENT else outcome for outcome in outcomes]
        return outcomes

    def _runs(self, messages: Sequence[Message], outcomes: list[Outcome]) -> Iterator[_Run]:
        """Split messages into batches, and decide what nobody needs to be asked for."""
        run: _Run | None = None
        for number, message in enumerate(messages):
            record = self._registry.route(message.subject)
            if record is None:
                hint = "declare the streams first"
                outcomes[number] = Unavailable(f"no stream takes the subject {message.subject}", hint=hint)
                continue
            try:
                entry = wire.entry(message, record, self._places.next())
            except EngineError as error:
                outcomes[number] = error
                continue
            if run is not None and not run.takes(record, entry):
                yield run
                run = None
            run = run or _Run(record)
            run.add(number, entry)
        if run is not None:
            yield run

    async def _send(self, run: _Run, outcomes: list[Outcome]) -> None:
        try:
            answer = await self._link.ask(
                "sns", "publish_batch", TopicArn=run.record.topic, PublishBatchRequestEntries=run.entries
            )
        except Undeclared:
            for number, entry in zip(run.numbers, run.entries, strict=True):
                outcomes[number] = _forbidden(run.record, entry)
            return
        except Gone as error:
            what = f"stream {run.record.stream.name} has no topic any more"
            raise Unavailable(what, hint="it is made again by whoever runs the system") from error
        except (Untaken, Unstorable) as error:
            if len(run.numbers) == 1:
                self._settle(run, outcomes, error)
                return
            for number, entry in zip(run.numbers, run.entries, strict=True):  # find out which one is refused
                one = _Run(run.record)
                one.add(number, entry)
                await self._send(one, outcomes)
            return
        self._settle(run, outcomes, Published(sequence=0))
        numbers = {entry["Id"]: number for number, entry in zip(run.numbers, run.entries, strict=True)}
        for failed in answer.get("Failed", ()):
            outcomes[numbers[failed["Id"]]] = self._failure(run.record, failed)

    def _failure(self, record: Record, failed: Mapping[str, Any]) -> Outcome:
        code = str(failed.get("Code", ""))
        what = f"{self._link.place} did not store into {record.stream.name}: {code}: {failed.get('Message', '')}"
        return EngineError(what) if code.startswith("Invalid") else Unavailable(what, hint="it is tried again")

    @staticmethod
    def _settle(run: _Run, outcomes: list[Outcome], found: Outcome) -> None:
        for number in run.numbers:
            outcomes[number] = found


def _forbidden(record: Record, entry: Mapping[str, Any]) -> Undeclared:
    subject = entry["MessageAttributes"][wire.SUBJECT]["StringValue"]
    hint = "declare what it publishes, and give its role that right"
    return Undeclared(f"this service may not publish {subject} to {record.stream.name}", hint=hint)
