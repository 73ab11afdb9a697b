"""Telemetry by gRPC arrives at a collector that is made with the official server and the official messages."""

import base64
import contextlib
import datetime as dt
import select
import socket
import sys
import threading
import time
from pathlib import Path

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import DebugInfo, RetryInfo  # type: ignore[import-untyped]
from h2.config import H2Configuration
from h2.connection import H2Connection
from hypothesis import example, given
from hypothesis import strategies as st

from shoal.errors import SettingsError
from shoal.mesh.certificates import Issuance, authority, edge
from shoal.telemetry import exporter as exporter_module
from shoal.telemetry.exporter import Exporter
from shoal.telemetry.grpc import Answer, Channel
from shoal.telemetry.logs import Record
from shoal.telemetry.masking import Mask
from shoal.telemetry.over_grpc import judged, retry_after
from shoal.telemetry.recorder import Recorder
from shoal.telemetry.settings import TelemetrySettings
from shoal.telemetry.spans import SERVER, Span
from tests.telemetry.called import collecting, details, retry_in

TRACE, OWN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporter_module, "FIRST", 0.01)


def made(port: int, scheme: str = "http", **variables: str) -> tuple[Recorder, Exporter]:
    settings = TelemetrySettings.from_environ(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"{scheme}://127.0.0.1:{port}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            "OTEL_BSP_SCHEDULE_DELAY": "20",
            **variables,
        }
    )
    recorder, exporter = Recorder(settings, {"service.name": "orders"}, Mask()), Exporter(settings)
    recorder.attach(exporter)
    return recorder, exporter


def span(name: str = "GET /", **attributes: object) -> Span:
    return Span(TRACE, OWN, "", name, SERVER, time.time_ns(), attributes=dict(attributes))


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_spans_and_log_records_arrive_with_headers_over_one_connection(compression: str) -> None:
    with collecting() as collector:
        recorder, exporter = made(
            collector.port,
            OTEL_EXPORTER_OTLP_COMPRESSION=compression,
            OTEL_EXPORTER_OTLP_HEADERS="X-Team=fish%20shop",
            OTEL_EXPORTER_OTLP_TIMEOUT="2500",
        )
        exporter.start()
        for name in ("first", "second"):
            recorder.close(span(name))
            assert exporter.flush()
        recorder.log(Record(time.time_ns(), "error", "it broke", TRACE, OWN, {"order": 7}))
        exporter.close()
    assert [seen.name for seen in collector.spans()] == ["first", "second"]
    assert [line.message for line in collector.lines()] == ["it broke"]
    assert {told["x-team"] for told in collector.metadata} == {"fish shop"}


def test_a_request_larger_than_any_window_arrives() -> None:
    with collecting() as collector:
        recorder, exporter = made(collector.port)
        exporter.start()
        for number in range(100):
            recorder.close(span(str(number), text="x" * 30_000))
        assert exporter.flush()
        exporter.close()
    assert [seen.name for seen in collector.spans()] == [str(number) for number in range(100)]
    assert recorder.spans.dropped == 0


def test_a_request_that_is_too_large_for_the_server_is_dropped_and_told(caplog: pytest.LogCaptureFixture) -> None:
    with collecting(options=[("grpc.max_receive_message_length", 1000)]) as collector:
        recorder, exporter = made(collector.port)
        recorder.close(span(text="x" * 30_000))
        exporter.start()
        assert exporter.flush()
        recorder.close(span("small"))
        exporter.close()
    assert [seen.name for seen in collector.spans()] == ["small"]
    assert recorder.spans.dropped == 1
    assert "it answers RESOURCE_EXHAUSTED" in caplog.text


@pytest.mark.parametrize(
    ("code", "again"),
    [
        (grpc.StatusCode.UNAVAILABLE, True),
        (grpc.StatusCode.ABORTED, True),
        (grpc.StatusCode.DATA_LOSS, True),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, False),
        (grpc.StatusCode.INVALID_ARGUMENT, False),
        (grpc.StatusCode.UNAUTHENTICATED, False),
    ],
)
def test_what_is_not_taken_is_sent_again_where_the_status_says_so(
    code: grpc.StatusCode, again: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with collecting() as collector:
        collector.answers = [(code, "größer als 100 % voll", b"")]
        recorder, exporter = made(collector.port)
        recorder.close(span())
        exporter.start()
        assert exporter.flush()
        exporter.close()
    assert (len(collector.spans()), recorder.spans.dropped) == ((1, 0) if again else (0, 1))
    assert again or f"refuses traces: it answers {code.name}: größer als 100 % voll" in caplog.text


def test_a_server_that_says_when_to_come_again_is_obeyed(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    class Closing(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waited.append(timeout or 0.0)
            return super().wait(0)

    with collecting() as collector:
        collector.answers = [(grpc.StatusCode.RESOURCE_EXHAUSTED, "later", retry_in(7.25))]
        recorder, exporter = made(collector.port)
        for lane in exporter._lanes.values():
            monkeypatch.setattr(lane, "_closing", Closing())
        recorder.close(span())
        exporter.start()
        collector.wait(lambda: len(collector.requests) == 1)
        exporter.close()
    assert 7.25 in waited
    assert recorder.spans.dropped == 0


def test_a_server_that_was_away_gets_what_was_kept_and_one_that_starts_again_too() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    recorder, exporter = made(port)
    exporter.start()
    recorder.close(span("kept"))
    assert not exporter.flush(0.1)
    for name in ("kept", "after"):
        with collecting(port=port) as collector:
            if name != "kept":
                recorder.close(span(name))
            collector.wait(lambda: bool(collector.requests))
            assert [seen.name for seen in collector.spans()] == [name]
            assert exporter.flush()  # it has heard the answer
    exporter.close()
    assert recorder.spans.dropped == 0


def test_nobody_waits_at_the_end_for_a_server_that_is_gone() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    recorder, exporter = made(port)
    recorder.close(span())
    exporter.close(60.0)
    exporter.start()
    exporter.close(60.0)
    assert recorder.spans.dropped == 1


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", b""])
def test_somebody_who_does_not_speak_http_2_is_told_of(
    answer: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter_module, "GRACE", 0.0)
    listener = socket.create_server(("127.0.0.1", 0))
    told = threading.Event()

    def serve() -> None:
        for _ in range(2):
            connection, _address = listener.accept()
            with connection:
                connection.recv(10_000)
                connection.sendall(answer)
        told.set()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    recorder, exporter = made(listener.getsockname()[1])
    recorder.close(span())
    exporter.start()
    assert told.wait(10.0)
    listener.close()
    thread.join(10.0)
    exporter.close(0.1)
    assert "does not take what is recorded (it " in caplog.text


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[bytes, bytes], Path]:
    issuance = Issuance(
        now=dt.datetime.now(dt.UTC),
        validity=dt.timedelta(hours=1),
        new_key=lambda: ec.generate_private_key(ec.SECP256R1()),
    )
    root = authority("market", issuance)
    leaf = edge(root, ["127.0.0.1"], issuance)
    trusted = tmp_path_factory.mktemp("tls") / "authorities.pem"
    trusted.write_text(root.certificate)
    return (leaf.key.encode(), leaf.certificate.encode()), trusted


def test_https_is_encrypted_and_its_certificate_is_verified(
    certificates: tuple[tuple[bytes, bytes], Path], caplog: pytest.LogCaptureFixture
) -> None:
    pair, trusted = certificates
    with collecting(tls=pair) as collector:
        recorder, exporter = made(collector.port, "https", OTEL_EXPORTER_OTLP_CERTIFICATE=str(trusted))
        recorder.close(span("trusted"))
        exporter.start()
        assert exporter.flush()
        exporter.close()
        recorder, exporter = made(collector.port, "https")
        recorder.close(span("strange"))
        exporter.start()
        assert exporter.flush()
        exporter.close()
    assert [seen.name for seen in collector.spans()] == ["trusted"]
    assert recorder.spans.dropped == 1
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text


def test_without_its_package_the_setting_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [
        name for name in sys.modules if name.startswith(("h2", "shoal.telemetry.grpc", "shoal.telemetry.over_g"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Without(), *sys.meta_path])
    with pytest.raises(SettingsError, match=r"needs the package h2[\s\S]*shoal\[grpc\]"):
        made(4317)


class _Without:
    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == "h2":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@given(st.integers(0, 10**9), st.integers(0, 999_999_999))
def test_what_a_status_says_is_read_as_the_official_messages_write_it(seconds: int, nanos: int) -> None:
    info = RetryInfo(retry_delay=Duration(seconds=seconds, nanos=nanos))
    written = base64.b64encode(details(DebugInfo(detail="x"), info)).decode()
    assert retry_after(written) == pytest.approx(seconds + nanos / 1e9)
    assert retry_after(written.rstrip("=")) == retry_after(written)
    answer = Answer(http=200, status=8, details=written)
    assert judged(answer).again
    assert judged(answer).after <= 60.0


@given(st.binary(max_size=60))
@example(details(DebugInfo(detail="x")))
@example(details(RetryInfo(retry_delay=Duration(seconds=-5))))
@example(details(RetryInfo(retry_delay=Duration(seconds=5)))[:-1])
def test_details_of_another_kind_or_none_say_nothing(content: bytes) -> None:
    assert retry_after(base64.b64encode(content).decode()) in (None, 0.0)
    assert retry_after("no base64 §") is None


@pytest.mark.parametrize(("status", "again"), [(503, True), (429, True), (404, False), (200, False)])
def test_an_answer_of_somebody_in_between_is_judged_by_its_status_of_http(status: int, again: bool) -> None:
    outcome = judged(Answer(http=status, status=None))
    assert (outcome.taken, outcome.again) == (False, again)


def test_who_says_a_lot_and_never_answers_is_left_when_the_time_is_over() -> None:
    ended = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def chatter() -> None:
        connection, _address = listener.accept()
        with connection, contextlib.suppress(OSError):
            server = H2Connection(H2Configuration(client_side=False))
            server.initiate_connection()
            connection.sendall(server.data_to_send())
            for _ in range(2000):
                server.ping(b"are you?")
            said = server.data_to_send()
            while not ended.is_set():
                connection.sendall(said)  # always ahead of who reads
                if select.select([connection], [], [], 0)[0]:
                    connection.recv(1 << 20)

    thread = threading.Thread(target=chatter, daemon=True)
    thread.start()
    channel = Channel("127.0.0.1", listener.getsockname()[1], None, 0.3)
    calling = threading.Thread(target=lambda: failed.append(_failure(channel)), daemon=True)
    failed: list[Exception | None] = []
    calling.start()
    calling.join(20.0)
    ended.set()
    listener.close()
    thread.join(20.0)
    assert [type(one) for one in failed] == [TimeoutError]
    assert not channel.connected


def _failure(channel: Channel) -> Exception | None:
    try:
        channel.call("/some.Service/Method", b"", {})
    except OSError as error:
        return error
    return None
