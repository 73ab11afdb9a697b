"""A cluster of one node that is played: it answers the driver's requests with what a test wants, errors above all."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from shoal.drivers.base import Consumer, Message, Stream
from shoal.drivers.kafka import library, wire

NOT_LEADER, CORRUPT, TOO_LARGE, NO_REPLICAS = 6, 2, 10, 19
STREAMS = tuple(Stream(name=name, subjects=(f"{name}.*",)) for name in ("good", "bad"))
GOOD, BAD = (Consumer(stream=s.name, name="c", subjects=s.subjects) for s in STREAMS)


class _Connection:
    def __init__(self, send: Callable[[Any], Awaitable[Any]]) -> None:
        self.send = send

    def close(self) -> "asyncio.Future[None]":
        return asyncio.ensure_future(asyncio.sleep(0))


class Cluster:
    """The node, which has stored what is declared."""

    def __init__(self) -> None:
        self.records: dict[str, list[library.Record]] = {name: [] for name in ("good", "bad", wire.DECLARED)}
        self.errors: dict[tuple[str, str], int] = {}
        """By what is asked and of which topic."""
        self.dialled: list[object] = []
        """The TLS context of every connection."""
        self._stirred = asyncio.Event()
        entries = [wire.Entry(stream=stream) for stream in STREAMS]
        for entry in (*entries, wire.Entry(consumer=GOOD), wire.Entry(consumer=BAD)):
            self._store(wire.DECLARED, wire.written(entry))

    def play(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the place of aiokafka."""
        plays: dict[str, Callable[..., Any]] = {
            "connect": self._connect,
            "nodes": lambda _answer: {1: ("one", 1)},
            "metadata": lambda topics: ("metadata", dict.fromkeys(topics)),
            "topics": lambda answer: [topic for _, topic in answer],
            "fetch": lambda topics, wait, _most: ("wait" if wait else "fetch", topics),
            "fetched": lambda answer: answer,
            "list_offset": lambda topic, end: ("list_offset", {topic: end}),
            "offset_of": lambda answer: answer[0][1],
            "pack": lambda records: records,
            "produce": lambda topic, records, _within: ("produce", {topic: records}),
            "produced": lambda answer: answer[0][1],
            "find_coordinator": lambda _group: ("find_coordinator", {}),
            "kept_offset": lambda _group, topic: ("kept_offset", {topic: None}),
            "kept": lambda _answer: (0, -1, ""),
            "commit": lambda _group, topic, offset, _note: ("commit", {topic: offset}),
            "committed": lambda answer: answer[0][1][0],
        }
        for name, play in plays.items():
            monkeypatch.setattr(library, name, play)

    def say(self, *subjects: str) -> None:
        """Store messages that somebody else published."""
        for subject in subjects:
            name = subject.partition(".")[0]
            stream = next(stream for stream in STREAMS if stream.name == name)
            self._store(name, wire.record(Message(id=subject, subject=subject, body=b""), stream))

    def fail(self, asked: str, topic: str, error: int) -> None:
        """Answer requests with an error from now on; those that wait, too."""
        self.errors[asked, topic] = error
        self._stirred.set()

    def _store(self, topic: str, parts: wire.Parts) -> int:
        self.records[topic].append(library.Record(len(self.records[topic]), 0, *parts))
        self._stirred.set()
        return len(self.records[topic]) - 1

    async def _connect(self, _host: str, _port: int, _address: object, tls: object, *_: object) -> object:
        self.dialled.append(tls)
        return _Connection(self._send)

    async def _send(self, request: tuple[str, Mapping[str, Any]]) -> Any:
        asked, topics = request
        await asyncio.sleep(0)
        if asked == "find_coordinator":
            return SimpleNamespace(error_code=0, coordinator_id=1)
        answer = [(topic, self._answer(asked, topic, what)) for topic, what in topics.items()]
        if asked == "wait" and not any(found.error or found.records for _, found in answer):
            self._stirred.clear()
            await self._stirred.wait()  # whatever has changed ends the time that requests wait
            answer = [(topic, self._answer(asked, topic, what)) for topic, what in topics.items()]
        return answer

    def _answer(self, asked: str, topic: str, what: Any) -> Any:
        error, there = self.errors.get((asked, topic), 0), self.records[topic]
        if asked == "metadata":
            return library.Topic(error=error, name=topic, id="id", leader=1)
        if asked == "list_offset":
            return error, 0 if what == library.EARLIEST else len(there)
        if asked == "produce":
            error = TOO_LARGE if any(value == b"large" for _, value, _ in what) else error
            return error, -1 if error else min([self._store(topic, parts) for parts in what])
        records = there[what:] if asked in ("wait", "fetch") and not error else []
        return library.Fetched(error=error, end=len(there), records=records, behind=len(there) if records else 0)
