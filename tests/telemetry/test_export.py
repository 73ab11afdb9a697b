"""What leaves the process: over HTTP, in batches, again when it was not taken, and never more than may wait."""

import contextlib
import logging
import re
import socket
import threading
import time

import pytest

from shoal.telemetry import exporter as exporter_module
from shoal.telemetry.exporter import Exporter
from shoal.telemetry.logs import Record
from shoal.telemetry.masking import Mask
from shoal.telemetry.over_http import HttpSender
from shoal.telemetry.recorder import Recorder
from shoal.telemetry.sender import Outcome
from shoal.telemetry.settings import TelemetrySettings
from shoal.telemetry.spans import SERVER, Span, fixed
from tests.telemetry.received import lines_of, receiving, recorded


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter_module, "FIRST", 0.01)


TRACE, OWN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def made(url: str, **variables: str) -> tuple[Recorder, Exporter]:
    settings = TelemetrySettings.from_environ(
        {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "20", **variables}
    )
    recorder, exporter = Recorder(settings, {"service.name": "orders"}, Mask()), Exporter(settings)
    recorder.attach(exporter)
    return recorder, exporter


def span(name: str = "GET /") -> Span:
    return Span(TRACE, OWN, "", name, SERVER, time.time_ns())


def test_spans_and_log_records_are_sent_when_the_process_ends() -> None:
    with receiving() as receiver:
        recorder, exporter = made(receiver.url, OTEL_EXPORTER_OTLP_HEADERS="x-team=fish%20shop")
        exporter.start()
        recorder.close(span())
        recorder.log(Record(time.time_ns(), "error", "it broke", TRACE, OWN, {"order": 7}))
        exporter.close()
        ((_, headers, _),) = [r for r in receiver.requests if r[0] == "/v1/traces"]
    assert headers["x-team"] == "fish shop"
    assert headers["content-type"] == "application/x-protobuf"
    assert [seen.name for seen in receiver.spans()] == ["GET /"]
    (line,) = receiver.lines()
    assert (line.message, line.severity, line.attributes, line.trace_id) == ("it broke", 17, {"order": 7}, TRACE)


def test_a_full_batch_goes_at_once_and_what_is_compressed_can_be_read() -> None:
    with receiving() as receiver:
        variables = {"OTEL_BSP_SCHEDULE_DELAY": "3600000", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10"}
        recorder, exporter = made(receiver.url, OTEL_EXPORTER_OTLP_COMPRESSION="gzip", **variables)
        exporter.start()
        for number in range(11):
            recorder.close(span(str(number)))
        receiver.wait(1)
        assert [seen.name for seen in receiver.spans()][:10] == [str(number) for number in range(10)]
        exporter.close()


def test_what_is_not_taken_is_sent_again() -> None:
    with receiving() as receiver:
        receiver.answers = [503, 429]
        recorder, exporter = made(receiver.url)
        exporter.start()
        recorder.close(span())
        receiver.wait(1)
        exporter.close()
    assert len(receiver.spans()) == 1
    assert recorder.spans.dropped == 0


def test_what_is_refused_is_dropped_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    with receiving() as receiver:
        receiver.answers = [400]
        recorder, exporter = made(receiver.url)
        recorder.close(span())
        exporter.start()
        exporter.close()
    assert receiver.requests == []
    assert recorder.spans.dropped == 1
    assert "refuses traces: it answers 400" in caplog.text
    assert "1 records were dropped" in caplog.text


def test_no_more_waits_than_may_and_the_rest_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    recorder, exporter = made("http://127.0.0.1:9", OTEL_BSP_MAX_QUEUE_SIZE="5")
    for _ in range(8):
        recorder.close(span())
    assert recorder.spans.dropped == 3
    with caplog.at_level(logging.WARNING):
        exporter.start()
        exporter.close(0.1)
    assert recorder.spans.dropped == 8
    assert sum(map(int, re.findall(r"(\d+) records were dropped", caplog.text))) == 8


def test_nobody_waits_at_the_end_for_a_receiver_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[bytes] = []

    def send(_: HttpSender, body: bytes) -> Outcome:
        tries.append(body)
        return Outcome(taken=False, again=True, gone=True)

    monkeypatch.setattr(HttpSender, "send", send)
    recorder, exporter = made("http://127.0.0.1:9")
    recorder.close(span())
    exporter.close(60.0)
    exporter.start()
    exporter.close(60.0)
    assert (len(tries), recorder.spans.dropped) == (1, 1)


def test_a_receiver_that_is_away_keeps_nobody_from_the_others() -> None:
    with receiving() as receiver:
        recorder, exporter = made(receiver.url, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="http://127.0.0.1:9/v1/traces")
        recorder.close(span())
        recorder.log(Record(time.time_ns(), "error", "it broke", TRACE, OWN, {}))
        exporter.start()
        receiver.wait(1)
        assert not exporter.flush(0.05)
        exporter.close(0.1)
    assert [line.message for line in receiver.lines()] == ["it broke"]
    assert recorder.spans.dropped == 1


def test_what_waits_is_sent_when_somebody_asks() -> None:
    with receiving() as receiver:
        recorder, exporter = made(receiver.url, OTEL_BSP_SCHEDULE_DELAY="3600000")
        exporter.start()
        for name in ("first", "second"):
            recorder.close(span(name))
            assert exporter.flush(10.0)
            assert receiver.spans()[-1].name == name
        exporter.close()


@pytest.mark.parametrize("joined", [False, True])
def test_a_record_that_cannot_be_written_takes_no_other_with_it(joined: bool, caplog: pytest.LogCaptureFixture) -> None:
    with receiving() as receiver:
        recorder, exporter = made(receiver.url, OTEL_BSP_MAX_EXPORT_BATCH_SIZE="2")
        recorder.spans.joined = joined
        for name in ("bad", "bad", "one", "bad", "two"):
            recorder.close(Span("bad" if name == "bad" else TRACE, OWN, "", name, SERVER, time.time_ns()))
        exporter.start()
        exporter.close()
    assert [seen.name for seen in receiver.spans()] == ["one", "two"]
    assert recorder.spans.dropped == 3
    assert "3 records were dropped" in caplog.text


def test_whoever_is_away_is_told_of_once(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter_module, "GRACE", 0.0)
    with receiving() as receiver:
        receiver.answers = [503, 503, 503]
        recorder, exporter = made(receiver.url)
        with caplog.at_level(logging.INFO, "shoal.telemetry"):
            recorder.close(span())
            exporter.start()
            receiver.wait(1)
            exporter.close()
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_the_ends_of_unsampled_traces_are_bounded() -> None:
    recorder, _ = made("http://127.0.0.1:9")
    part = recorder.unsampled()
    part.root = root = span("root")
    root.part = part
    root.fail(ValueError("x"), stack=False)
    for _ in range(2100):
        child = span("child")
        child.part = part
        recorder.close(child)
    recorder.close(root)
    late = span("late")
    late.part = part
    recorder.close(late)
    assert [len([s for s in recorded([recorder]) if s.name == "child"])] == [2000]


def test_requests_of_large_spans_stay_below_what_receivers_take() -> None:
    with receiving() as receiver:
        recorder, exporter = made(receiver.url, OTEL_BSP_SCHEDULE_DELAY="3600000")
        for number in range(1000):
            one = span(str(number))
            one.set("text", "x" * 12_000)
            recorder.close(one)
        exporter.start()
        assert exporter.flush()
        sizes = [len(body) for _, _, body in receiver.requests]
        exporter.close()
    assert len(receiver.spans()) == 1000
    assert max(sizes) < 4 << 20


def test_a_secret_that_is_learnt_late_is_hidden_in_what_was_harmless_before() -> None:
    shared = fixed({"db.query.text": "select hunter-2000"})
    with receiving() as receiver:
        recorder, exporter = made(receiver.url)
        exporter.start()
        for secret in ("", "hunter-2000"):
            recorder.mask.learn(secret)
            one = span("hunter-2000")
            one.fixed = shared
            recorder.close(one)
            assert exporter.flush()
        exporter.close()
    assert [(seen.name, seen.attributes) for seen in receiver.spans()] == [
        ("hunter-2000", {"db.query.text": "select hunter-2000"}),
        ("***", {"db.query.text": "select ***"}),
    ]


def test_many_large_records_of_one_turn_go_in_several_requests_in_their_order() -> None:
    recorder, _exporter = made("http://127.0.0.1:9")
    for number in range(120):
        recorder.log(Record(time.time_ns(), "info", f"{number:03}" + "x" * 32_000, "", "", {"more": "y" * 32_000}))
    parcels = []
    while (parcel := recorder.logs.take()) is not None:
        parcels.append(parcel)
    assert max(len(parcel.body) for parcel in parcels) < 4 << 20
    assert [line.message[:3] for parcel in parcels for line in lines_of(parcel.body)] == [f"{n:03}" for n in range(120)]
    assert ([parcel.more for parcel in parcels][-1], recorder.logs.dropped) == (False, 0)


def test_a_source_that_comes_while_others_are_counted_ends_nobody() -> None:
    class Counted:
        signal, pause, others = "traces", 0.01, 0

        @property
        def dropped(self) -> int:
            if self.others < 5:
                self.others += 1
                exporter.add(Counted.__new__(Quiet))
            return 0

        def take(self) -> None:
            return None

    class Quiet(Counted):
        dropped = 0

    with receiving() as receiver:
        recorder, exporter = made(receiver.url)
        exporter.add(Counted())  # type: ignore[arg-type]
        exporter.start()
        assert exporter.flush()
        recorder.close(span())
        assert exporter.flush(5.0)
        exporter.close()
    assert len(receiver.spans()) == 1


def test_who_shouts_its_credentials_is_masked_as_well() -> None:
    recorder, _exporter = made("http://127.0.0.1:9")
    for scheme in ("BEARER", "BASIC"):
        recorder.log(Record(time.time_ns(), "info", f"sent {scheme} c4n4ry-0paque", "", "", {}))
        parcel = recorder.logs.take()
        assert parcel is not None
        assert [line.message for line in lines_of(parcel.body)] == [f"sent {scheme} ***"]


def test_who_takes_too_long_is_not_asked_again_at_once() -> None:
    came: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        """Answer the first request, and take whatever else comes without a word."""
        kept = []
        with contextlib.suppress(OSError):
            while True:
                connection, _address = listener.accept()
                kept.append(connection)
                came.append(connection.recv(10_000))
                if len(came) == 1:
                    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    threading.Thread(target=serve, daemon=True).start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/v1/traces"
    sender = HttpSender(address, TelemetrySettings(endpoints={"traces": address}, timeout=2.0))
    assert sender.send(b"first").taken
    outcome = sender.send(b"second")
    sender.close()
    listener.close()
    assert (outcome.taken, outcome.again, len(came)) == (False, True, 1)
