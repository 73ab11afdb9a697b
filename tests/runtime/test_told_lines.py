"""What loggers of every kind say: one line, one log record, both with the trace and without secrets."""

import io
import json
import logging
from collections import deque
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import structlog

from shoal import Secret
from shoal.runtime.config import ServiceConfig
from shoal.runtime.deadline import Budget
from shoal.runtime.logs import Journal, JournalHandler
from shoal.runtime.recording import closed, opened, recording
from shoal.runtime.telling import hide_secrets
from shoal.runtime.trace import Context, begin, current
from shoal.service.settings import Settings
from shoal.telemetry.masking import MASK
from shoal.telemetry.recorder import Recorder
from shoal.telemetry.settings import TelemetrySettings
from shoal.telemetry.spans import SERVER
from tests.telemetry.received import Line, logged

CANARY = "c4n4ry-s3cr3t"
log = logging.getLogger("tests.told")


class Kept(Journal):
    """A journal that keeps its lines."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__("orders", "0", "7.1")
        self.recorder = recorder
        self._stream = self.kept = io.BytesIO()

    def told(self) -> tuple[dict[str, Any], Line]:
        """Return the one line and the one record of it."""
        self.flush()
        (line,) = self.kept.getvalue().splitlines()
        (record,) = logged([self.recorder])
        return json.loads(line), record


@pytest.fixture(name="journal")
def _journal() -> Iterator[Kept]:
    settings = TelemetrySettings.from_environ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    journal = Kept(Recorder(settings, {"service.name": "orders"}))
    handlers = log.handlers
    log.handlers, log.propagate = [JournalHandler(journal)], False
    log.setLevel(logging.INFO)
    known = MASK._known, MASK._signs
    yield journal
    log.handlers, log.propagate = handlers, True
    MASK._known, MASK._signs = known


@pytest.fixture(name="trace_id")
def _trace(journal: Kept) -> Iterator[str]:
    before = recording.set(journal.recorder)
    trace, span = opened(begin(), SERVER, "GET /")
    current.set(Context(trace, Budget(1.0), span=span))
    yield trace.trace_id
    closed(span)
    current.set(None)
    recording.reset(before)


class Interrupted(deque[bytes]):
    """Lines during the first of which another thread writes one, too."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def append(self, line: bytes, /) -> None:
        """Add a line, and let the other thread add its own before anything else happens."""
        super().append(line)
        if len(self) == 1:
            self._journal.write("info", "two", None, {})


def test_lines_that_two_threads_write_at_once_go_out(journal: Kept) -> None:
    journal._lines = Interrupted(journal)
    journal.write("info", "one", None, {})
    told = [json.loads(line)["message"] for line in journal.kept.getvalue().splitlines()]
    assert told == ["one", "two"]


def test_a_line_carries_version_trace_and_fields(journal: Kept, trace_id: str) -> None:
    log.warning("it is %s", "late", extra={"order": 7})
    line, record = journal.told()
    assert (line["message"], line["version"], line["order"], line["level"]) == ("it is late", "7.1", 7, "warning")
    assert (record.message, record.attributes["order"], record.level) == ("it is late", 7, "WARNING")
    assert line["trace_id"] == record.trace_id == trace_id
    assert line["span_id"] == record.span_id != ""


def test_outside_of_any_work_there_is_no_trace(journal: Kept) -> None:
    log.info("it starts")
    line, record = journal.told()
    assert "trace_id" not in line
    assert record.trace_id == record.span_id == ""


def test_structlog_goes_the_same_way(journal: Kept, trace_id: str) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.render_to_log_kwargs,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    try:
        with structlog.contextvars.bound_contextvars(shift="night"):
            structlog.get_logger("tests.told").bind(order="o-1").error("it broke", pieces=3, password=CANARY)
    finally:
        structlog.reset_defaults()
    line, record = journal.told()
    assert (line["message"], line["order"], line["pieces"], line["shift"]) == ("it broke", "o-1", 3, "night")
    assert (record.message, record.severity, record.trace_id) == ("it broke", 17, trace_id)
    assert record.attributes["order"] == "o-1"
    assert line["password"] == record.attributes["password"] == "***"


def test_an_exception_is_told_with_its_stack(journal: Kept, trace_id: str) -> None:
    try:
        int("no pen")
    except ValueError:
        log.exception("it broke")
    line, record = journal.told()
    assert "ValueError: invalid literal" in line["error"]
    assert "test_told_lines.py" in record.attributes["error"]


class Keys(Settings, frozen=True, kw_only=True):
    """Of a service."""

    payment: Secret
    more: tuple[Secret, ...] = ()


@pytest.mark.parametrize(
    "said",
    [
        f"key {CANARY} is refused",
        f"postgres://shop:{CANARY}@db/shop is away",
        f"Authorization: Bearer {CANARY}{CANARY}",
        f"basic {CANARY}==",
        '{"token":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c4n4ry"}',
    ],
)
def test_no_secret_is_told(journal: Kept, trace_id: str, said: str) -> None:
    if said.startswith("key"):
        hide_secrets(ServiceConfig(system="s", entry="e"), Keys(payment=Secret(CANARY)))
    log.error(
        said, extra={"deep": {"list": [said]}, "authorization": CANARY, "api_key": CANARY, "held": Secret(CANARY)}
    )
    line, record = journal.told()
    for told in (json.dumps(line), str(record)):
        assert "c4n4ry" not in told
        assert "***" in told


def test_passwords_of_the_services_own_addresses_are_known(journal: Kept) -> None:
    hide_secrets(ServiceConfig(system="s", entry="e", store_url=f"postgres://u:{CANARY}%2F1@h/d"), None)
    log.error("refused: %s", f"{CANARY}/1")
    line, record = journal.told()
    assert line["message"] == record.message == "refused: ***"


def test_what_cannot_be_encoded_is_told_somehow(journal: Kept) -> None:
    log.info("odd", extra={"odd": object(), "lone": "\ud800", "much": 10**30, "map": {1: msgspec.UNSET}})
    line, record = journal.told()
    assert (line["message"], record.message) == ("odd", "odd")
    assert (line["lone"], record.attributes["lone"]) == ("?", "?")


def test_what_stands_deep_under_the_name_of_a_secret_is_hidden(journal: Kept) -> None:
    log.info("asked", extra={"request": {"headers": [{"X-Authorization": CANARY, "accept": "text/plain"}], "n": 3}})
    line, record = journal.told()
    assert line["request"] == {"headers": [{"X-Authorization": "***", "accept": "text/plain"}], "n": 3}
    assert CANARY not in repr(record)
