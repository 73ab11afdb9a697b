"""Operations, limits and lines of a log: what looks like a mistake and is none, and what is one although hidden."""

import datetime as dt
from pathlib import Path

import pytest

from tests.check.projects import found, report_of

SYSTEM = """
import datetime as dt
import logging
from typing import Protocol

from shoal import Objective, Postgres, Service, System, anyone, contract, get, internal


@contract("prices")
class PricesApi(Protocol):
    @get("/price", access=internal{limit})
    async def price(self) -> int: ...


prices = Service("prices", store=Postgres(), objectives=[Objective(availability={theirs})])
web = Service("web", store=Postgres(), objectives=[Objective(availability=0.99)])


@prices.implements(PricesApi.price)
async def price() -> int:
    return 3


{code}

system = System("shop", services=[prices, web])
"""
PAGE = """
@web.get("/page", access=anyone{options})
async def page({parameters}) -> int:
    {body}
"""


def codes(root: Path, only: str, code: str, *, limit: str = "", theirs: str = "0.999", **files: str) -> list[str]:
    system = SYSTEM.replace("{code}", code).replace("{limit}", limit).replace("{theirs}", theirs)
    report = report_of(root, {"system.py": system, **files}, only)
    assert report.findings == () or report.findings[0].code != "SH002", report.findings
    return [one for one, _ in found(report)]


def page(*, options: str = "", parameters: str = "prices: PricesApi", body: str = "return await prices.price()") -> str:
    return PAGE.format(options=options, parameters=parameters, body=body)


@pytest.mark.parametrize(
    ("theirs", "own", "seen"),
    [
        (", timeout=3.0", ", timeout=2.0", True),
        (", timeout=2.0", ", timeout=2.0", False),
        (", timeout=1.0", ", timeout=2.0", False),
    ],
)
def test_time_limits(tmp_path: Path, theirs: str, own: str, *, seen: bool) -> None:
    assert codes(tmp_path, "SH303", page(options=own), limit=theirs) == (["SH303"] if seen else [])


def test_one_caller_with_enough_time_is_enough(tmp_path: Path) -> None:
    patient = page(options=", timeout=9.0").replace("page", "patient")
    code = page(options=", timeout=2.0") + patient
    assert codes(tmp_path, "SH303", code, limit=", timeout=5.0") == []


@pytest.mark.parametrize(
    ("theirs", "code", "seen"),
    [
        ("0.98", page(), True),
        ("0.99", page(), False),  # as much as is promised
        ("0.98", page(options=", objectives=[Objective(availability=0.95)]"), False),  # its own promise is lower
        ("0.98", page(body="return 3"), False),  # nothing is asked
    ],
)
def test_promises(tmp_path: Path, theirs: str, code: str, *, seen: bool) -> None:
    assert codes(tmp_path, "SH304", code, theirs=theirs) == (["SH304"] if seen else [])


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ("return 3", True),
        ("return await prices.price()", False),
        ("return await helped(prices)", False),  # somebody else asks
        ("ask = prices.price\n    return await ask()", False),
    ],
)
def test_contracts_that_are_taken(tmp_path: Path, body: str, *, seen: bool) -> None:
    helper = "async def helped(prices: PricesApi) -> int:\n    return await prices.price()\n"
    assert codes(tmp_path, "SH404", helper + page(body=body)) == (["SH404"] if seen else [])


@pytest.mark.parametrize(
    ("code", "count"),
    [
        (page(), 0),
        ("", 1),  # nobody calls the price
        ('@web.get("/own", access=internal)\nasync def own() -> int:\n    return 1\n' + page(), 1),
        ('@web.get("/own", access=anyone)\nasync def own() -> int:\n    return 1\n' + page(), 0),
    ],
)
def test_operations_that_nobody_calls(tmp_path: Path, code: str, count: int) -> None:
    assert codes(tmp_path, "SH602", code) == ["SH602"] * count


@pytest.mark.parametrize(("days", "seen"), [(-400, True), (400, False)])
def test_ends_of_operations(tmp_path: Path, days: int, *, seen: bool) -> None:
    end = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days)
    code = page(options=f", version=1, sunset=dt.date({end.year}, {end.month}, {end.day})")
    code += page(options=", version=2").replace("page(", "newer(")
    assert codes(tmp_path, "SH605", code) == (["SH605"] if seen else [])


def test_one_that_has_ended_and_is_called_is_an_error(tmp_path: Path) -> None:
    limit = ", version=1, sunset=dt.date(2024, 6, 30)"
    report_of_it = SYSTEM.replace("{code}", page()).replace("{limit}", limit).replace("{theirs}", "0.99")
    (one,) = report_of(tmp_path, {"system.py": report_of_it}, "SH605").findings
    assert (one.severity, "still calls it" in one.impact) == ("error", True)


METRICS = """
from opentelemetry import metrics, trace
from prometheus_client import Counter

seen = Counter("seen", "Pages.", ["who"], registry=None)
counted = metrics.get_meter("x").create_counter("seen")
tracer = trace.get_tracer("x")
"""


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("seen.labels(user_id=who).inc()", 1),
        ("seen.labels(userId=who).inc()", 1),
        ("seen.labels(who.user_id).inc()", 1),
        ("seen.labels(kind=who).inc()", 0),
        ("seen.labels(valid).inc()", 0),  # ends like one, and is a word
        ('counted.add(1, {"session": who})', 1),
        ('counted.add(1, attributes={"http.route": who})', 0),
        ('tracer.start_span(f"order {who}")', 1),
        ('tracer.start_span("order " + who)', 1),
        ('trace.get_current_span().update_name("order %s" % who)', 1),
        ('tracer.start_span(f"order")', 0),
        ('tracer.start_span("order", attributes={"order.id": who})', 0),  # kept once
        ('{"add": 1}.get(f"order {who}")', 0),
    ],
)
def test_names_without_end(tmp_path: Path, body: str, count: int) -> None:
    files = {"measuring.py": f"{METRICS}\n\ndef note(who, valid):\n    {body}\n"} | _stubs()
    code = f"import measuring\n\n{page()}"
    assert codes(tmp_path, "SH502", code, **files) == ["SH502"] * count


def _stubs() -> dict[str, str]:
    """Stand in for libraries that nobody has to install for this."""
    anything = "from unittest.mock import MagicMock\nCounter = metrics = trace = MagicMock()\n"
    return {"opentelemetry/__init__.py": anything, "prometheus_client/__init__.py": anything}


@pytest.mark.parametrize(
    ("lines", "count"),
    [
        ("log = logging.getLogger(__name__)\nlog.setLevel(logging.INFO)", 0),
        ("log = logging.getLogger(__name__)\nlog.propagate = False", 1),
        ("log = logging.getLogger(__name__)\nlog.propagate = True", 0),
        ("logging.getLogger().addHandler(logging.StreamHandler())", 1),
        ("from loguru import logger", 1),
        ("import structlog", 1),
        ("import structlog\nstructlog.configure(logger_factory=structlog.stdlib.LoggerFactory())", 0),
        ("class Mine:\n    propagate = False", 0),
    ],
)
def test_lines_past_the_log(tmp_path: Path, lines: str, count: int) -> None:
    anything = "from unittest.mock import MagicMock\nlogger = configure = stdlib = MagicMock()\n"
    files = {"loguru.py": anything, "structlog.py": anything}
    assert codes(tmp_path, "SH506", f"{lines}\n\n{page()}", **files) == ["SH506"] * count
