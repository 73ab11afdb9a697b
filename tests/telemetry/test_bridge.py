"""A client with the official SDK, our service, a library with the official API in it: one trace."""

import ast
import contextlib
import os
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import msgspec
import pytest
from opentelemetry import propagate
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.house import ROOT
from tests.telemetry.received import Receiver, Seen, receiving


@pytest.fixture(scope="module", name="receiver")
def _receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module", name="service")
def _service(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the service, with the entry points of the project as an installation has them."""
    place = tmp_path_factory.mktemp("installed")
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    wanted = {group: rows for group, rows in declared.items() if group.startswith("opentelemetry_")}
    info = place / "shoal_joined-0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: shoal-joined\nVersion: 0\n")
    info.joinpath("entry_points.txt").write_text(
        "\n".join(f"[{group}]\n" + "\n".join(f"{k} = {v}" for k, v in rows.items()) for group, rows in wanted.items())
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environ = {
        **{k: v for k, v in os.environ.items() if not k.startswith("OTEL_")},
        "PYTHONPATH": os.pathsep.join([str(place), str(ROOT / "src"), str(ROOT)]),
        "SHOAL_SYSTEM": "coast",
        "SHOAL_ENTRY": "tests.telemetry.bridged:bay",
        "SHOAL_LISTEN": f"tcp:127.0.0.1:{port}",
        "SHOAL_VERSION": "7.1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        "OTEL_BSP_SCHEDULE_DELAY": "50",
    }
    process = subprocess.Popen([sys.executable, "-m", "shoal.runtime"], env=environ, stdout=subprocess.PIPE)
    address = f"127.0.0.1:{port}"
    try:
        _until_ready(address, process)
        yield address
    finally:
        process.terminate()
        process.communicate(timeout=10)


def _until_ready(address: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        assert process.poll() is None
        with contextlib.suppress(OSError):
            if get(address, "/ready", {})[0] == 200:
                return
        time.sleep(0.05)
    raise TimeoutError(address)


def get(address: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    connection = HTTPConnection(address, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def ask(service: str, receiver: Receiver, path: str) -> tuple[bytes, list[Seen], str]:
    """Ask as a client with the official SDK does; return the answer, every span of its trace, and its span's id."""
    provider = TracerProvider(resource=Resource({"service.name": "client"}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(f"{receiver.url}/v1/traces")))
    carrier: dict[str, str] = {}
    with provider.get_tracer("client").start_as_current_span("fetch") as span:
        propagate.inject(carrier)
        _, body = get(service, path, carrier)
    provider.shutdown()
    context = span.get_span_context()
    trace = f"{context.trace_id:032x}"
    with receiver.came:
        assert receiver.came.wait_for(lambda: any(s.name == f"GET {path}" for s in of(receiver, trace)), 10)
    return body, of(receiver, trace), f"{context.span_id:016x}"


def of(receiver: Receiver, trace: str) -> list[Seen]:
    return [span for span in receiver.spans() if span.trace_id == trace]


def test_spans_of_both_are_one_tree(service: str, receiver: Receiver) -> None:
    body, found, client = ask(service, receiver, "/catch")
    told = msgspec.json.decode(body)
    named = {span.name: span for span in found}
    assert set(named) == {"fetch", "GET /catch", "cast", "pull", "sort"}
    assert named["GET /catch"].parent_id == client
    assert named["cast"].parent_id == named["GET /catch"].span_id
    assert named["pull"].parent_id == named["cast"].span_id
    assert named["sort"].parent_id == named["pull"].span_id
    assert told["current"] == named["cast"].span_id
    assert told["afterwards"] == named["GET /catch"].span_id
    assert told["carried"] == f"00-{named['sort'].trace_id}-{named['sort'].span_id}-01"


def test_what_other_systems_said_of_the_trace_goes_through_spans_of_both(service: str) -> None:
    for state in ("rojo=00f067aa0ba902b7,congo=t61", ""):
        headers = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01", **({"tracestate": state} if state else {})}
        _, body = get(service, "/catch", headers)
        assert msgspec.json.decode(body)["state"] == state


def test_what_a_library_tells_is_told_under_its_name(service: str, receiver: Receiver) -> None:
    _, found, _ = ask(service, receiver, "/catch")
    named = {span.name: span for span in found}
    assert (named["cast"].scope, named["pull"].scope) == ("fishing-library", "shoal")
    assert named["cast"].attributes == {"net": "wide", "net.secret": "***"}
    assert (named["cast"].events[0].name, named["cast"].events[0].attributes) == ("splash", {"depth": 3})
    assert named["pull"].attributes == {"weight": 12}
    assert named["cast"].resource["service.version"] == "7.1"


def test_what_fails_in_a_span_of_the_api_fails_it_and_the_request(service: str, receiver: Receiver) -> None:
    _, found, _ = ask(service, receiver, "/storm")
    named = {span.name: span for span in found}
    assert (named["sail"].status, named["sail"].message) == (2, "ValueError: the mast broke")
    assert named["sail"].events[0].attributes["exception.type"] == "ValueError"
    assert named["GET /storm"].status == 2


def test_a_decorated_function_has_a_span_for_each_call(service: str, receiver: Receiver) -> None:
    body, found, _ = ask(service, receiver, "/help")
    named = {span.name: span for span in found}
    assert msgspec.json.decode(body) == named["helper"].span_id
    assert named["helper"].parent_id == named["GET /help"].span_id


def test_one_file_knows_the_api() -> None:
    sources = (ROOT / "src" / "shoal").rglob("*.py")
    assert [file.name for file in sources if any(map(_is_of_the_api, _imported(file)))] == ["bridge.py"]


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def _is_of_the_api(name: str) -> bool:
    return name.partition(".")[0] == "opentelemetry" and not name.startswith("opentelemetry.proto")
