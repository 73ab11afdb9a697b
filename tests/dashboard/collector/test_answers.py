"""What the collector answers is so: of a disk that was full, and while much is unpacked."""

import gzip
import json
import threading
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest

from shoal.dashboard.collector import application
from shoal.dashboard.collector.application import Collector
from shoal.dashboard.collector.otlp import TRACES
from shoal.dashboard.store.writer import Writer
from shoal.runtime.request import Scope


def _message(number: int, count: int = 1) -> bytes:
    spans = [
        {
            "traceId": f"{number:032x}", "spanId": f"{n + 1:016x}", "name": "n" * 500,
            "startTimeUnixNano": "1800000000000000000", "endTimeUnixNano": "1800000000005000000",
        }
        for n in range(count)
    ]  # fmt: skip
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    made = Writer(tmp_path / "run-000001.db")
    yield made
    made.close()


async def test_the_answer_says_what_a_full_disk_lost_and_not_what_is_written_afterwards(writer: Writer) -> None:
    collector = Collector(writer)
    (pages,) = writer._connection.execute("PRAGMA page_count").fetchone()
    writer._connection.execute(f"PRAGMA max_page_count={pages + 1}")
    await collector.take(TRACES, _message(1, 500), is_json=True)
    assert writer.flush()
    lost = json.loads(await collector.take(TRACES, _message(2, 500), is_json=True))
    assert lost["partialSuccess"]["rejectedSpans"] == "500"
    assert "nothing can be written: database or disk is full" in lost["partialSuccess"]["errorMessage"]
    writer._connection.execute("PRAGMA max_page_count=100000")
    assert json.loads(await collector.take(TRACES, _message(3), is_json=True)) == {}


async def test_bodies_are_unpacked_away_from_the_loop(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    threads, sent = list[threading.Thread](), list[Any]()
    unfolded = application.unfolded

    def noted(body: bytes, encoding: str) -> bytes:
        threads.append(threading.current_thread())
        return unfolded(body, encoding)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": gzip.compress(_message(1))}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    monkeypatch.setattr(application, "unfolded", noted)
    headers = [(b"content-type", b"application/json"), (b"content-encoding", b"gzip")]
    scope: Scope = {"type": "http", "method": "POST", "path": "/v1/traces", "headers": headers}
    await Collector(writer)(scope, receive, send)
    assert sent[0]["status"] == 200
    assert threading.main_thread() not in threads
    assert len(threads) == 1
