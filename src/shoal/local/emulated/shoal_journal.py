"""MiniStack with a journal for DynamoDB: what it acknowledged is on the disk, and is done again after a kill.

Served as ``shoal_journal:app`` in MiniStack's own environment, with ``SHOAL_JOURNAL`` naming a folder. By itself
MiniStack keeps everything in memory, at best until an orderly stop, and carries out a transaction in several steps.
Here requests to DynamoDB pass one after another, so a transaction is one step for everybody, and each that changed
something is written down before it is answered. A start reads the last picture and repeats what was written down after
it; nothing in those requests depends on the time, and nothing expires here, or a repetition would come out otherwise.
The other interfaces keep nothing over a restart.
"""

import asyncio
import json
import os
import shutil
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

from ministack.app import app as ministack
from ministack.core import persistence
from ministack.services import dynamodb

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_TARGET = b"DynamoDB_20120810."
_CHANGES = frozenset(
    {"BatchWriteItem", "CreateTable", "DeleteItem", "DeleteTable", "PutItem", "TransactWriteItems", "UpdateItem"}
    | {"UpdateTable", "UpdateTimeToLive"}
)
"""What is written down."""

_EXPIRY, _EXPIRIES = "UpdateTimeToLive", "DescribeTimeToLive"
_ON, _HELD = "ENABLED", "held"
"""What MiniStack calls an expiry that is on, and what one is called that it is to leave alone."""

_KEPT = (b"authorization", b"content-type", b"host", b"x-amz-target")
"""Header fields that say what a request means; none of them is a secret."""

_LARGE = 32 * 1024 * 1024
"""Bytes after which a new picture is taken."""


class Journal:
    """A folder with one picture of all tables, and what came after it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = asyncio.Lock()
        self._number, self._log, self._size = 0, -1, 0

    async def begin(self) -> None:
        """Read the last picture, repeat what came after it, and take a new one."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        numbers = [int(one.name) for one in self._folder.iterdir() if one.is_dir() and one.name.isdigit()]
        if numbers:
            self._number = max(numbers)
            with _in(self._picture(self._number)):
                dynamodb.load_persisted_state(persistence.load_state("dynamodb"))
            for line in _lines(self._log_of(self._number)):
                head = [(name.encode(), value.encode()) for name, value in line["headers"]]
                action = dict(head).get(b"x-amz-target", b"").removeprefix(_TARGET).decode()
                status, _ = await _done(action, _scope(head), line["body"].encode())
                if status != 200:
                    print(f"could not repeat a request of the journal: status {status}")  # noqa: T201 - its log
        self._turn()

    def _turn(self) -> None:
        """Take a new picture and begin a new journal behind it; the old ones go once it stands."""
        number = self._number + 1
        made = self._folder / f"{number}.new"
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(mode=0o700)
        with _in(made):
            persistence.save_state("dynamodb", dynamodb.get_state())
        for file in made.iterdir():
            _settle(file)
        log = os.open(self._log_of(number), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        made.rename(self._picture(number))
        _settle(self._folder)
        if self._log >= 0:
            os.close(self._log)
        for one in self._folder.iterdir():
            if one.name.partition(".")[0] != str(number):
                shutil.rmtree(one) if one.is_dir() else one.unlink()
        self._number, self._log, self._size = number, log, 0

    async def serve(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request to DynamoDB, once what it changed is on the disk."""
        body = await _body(receive)
        target = dict(scope["headers"]).get(b"x-amz-target", b"")
        action = target.removeprefix(_TARGET).decode()
        async with self._lock:
            status, answer = await _done(action, scope, body)
            if status == 200 and action in _CHANGES:
                self._write(scope, body)
        for message in answer:
            await send(message)

    def _write(self, scope: Message, body: bytes) -> None:
        head = [[name.decode(), value.decode()] for name, value in scope["headers"] if name in _KEPT]
        line = json.dumps({"headers": head, "body": body.decode()}).encode() + b"\n"
        os.write(self._log, line)
        os.fdatasync(self._log)
        self._size += len(line)
        if self._size > _LARGE:
            self._turn()

    def _picture(self, number: int) -> Path:
        return self._folder / str(number)

    def _log_of(self, number: int) -> Path:
        return self._folder / f"{number}.log"


class _in:  # noqa: N801 - reads as what it does
    """Let MiniStack keep its state in a folder for a moment; else it would do so by itself, too late."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        persistence.PERSIST_STATE, persistence.STATE_DIR = True, str(self._folder)

    def __exit__(self, *_: object) -> None:
        persistence.PERSIST_STATE = False


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """Read a journal; a last line that was cut off belongs to a request that nobody answered."""
    for line in file.read_bytes().split(b"\n")[:-1]:
        yield json.loads(line)


def _settle(path: Path) -> None:
    known = os.open(path, os.O_RDONLY)
    try:
        os.fsync(known)
    finally:
        os.close(known)


def _scope(headers: list[tuple[bytes, bytes]]) -> Message:
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/", "raw_path": b"/", "query_string": b"", "root_path": "", "headers": headers,
        "client": ("127.0.0.1", 0), "server": ("127.0.0.1", 0), "extensions": {},
    }  # fmt: skip


async def _ask(scope: Message, body: bytes) -> tuple[int, list[Message]]:
    """Let MiniStack answer."""
    asked = [{"type": "http.request", "body": body, "more_body": False}]
    answer: list[Message] = []

    async def receive() -> Message:
        return asked.pop() if asked else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        answer.append(message)

    await ministack(scope, receive, send)
    return int(answer[0]["status"]), answer


async def _done(action: str, scope: Message, body: bytes) -> tuple[int, list[Message]]:
    """Let MiniStack answer, and hold back who would remove what has expired: its repetition would not."""
    status, answer = await _ask(scope, body)
    if status == 200 and action == _EXPIRY:
        for _, setting in dynamodb._ttl_settings.all_items():  # noqa: SLF001 - nothing else says so
            setting["TimeToLiveStatus"] = setting["TimeToLiveStatus"].replace(_ON, _HELD)
    if status == 200 and action == _EXPIRIES:
        return _on(answer)
    return status, answer


def _on(answer: list[Message]) -> tuple[int, list[Message]]:
    """Say that an expiry is on which is held back; DynamoDB does not say either when something goes."""
    said = json.loads(b"".join(message.get("body", b"") for message in answer))
    known = said["TimeToLiveDescription"]
    known["TimeToLiveStatus"] = known["TimeToLiveStatus"].replace(_HELD, _ON)
    headers = [(b"content-type", b"application/x-amz-json-1.0")]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    return 200, [start, {"type": "http.response.body", "body": json.dumps(said).encode()}]


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


journal = Journal(Path(os.environ["SHOAL_JOURNAL"]))


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Answer as MiniStack does, but for what concerns DynamoDB."""
    if scope["type"] == "lifespan":

        async def told(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                await journal.begin()
            await send(message)

        await ministack(scope, receive, told)
    elif scope["type"] == "http" and dict(scope["headers"]).get(b"x-amz-target", b"").startswith(_TARGET):
        await journal.serve(scope, receive, send)
    else:
        await ministack(scope, receive, send)
