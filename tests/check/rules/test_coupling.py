"""The rules of coupling where their pages end: what counts, what does not, what a run adds."""

from pathlib import Path
from typing import Any

import pytest

from shoal.check import page
from shoal.check.observed import Observed, SeenCall, SeenOperation
from shoal.check.report import Report
from shoal.check.runner import run
from shoal.check.settings import Settings
from shoal.check.subject import Subject
from shoal.check.table import RULES
from shoal.model.breaker import Breaker
from shoal.model.objectives import Objective
from shoal.model.service import Access, Call, Endpoint, Service
from shoal.model.system import System
from tests.check.projects import found, report_of

BY_CODE = {rule.code: rule for rule in RULES}
GUARDED = Breaker(circuit="x", fallback="instead")


def service(name: str, *calls: str, breaker: Breaker | None = None, operations: int = 1, **facts: Any) -> Service:
    access = Access(kind="anyone")
    made = tuple(
        Endpoint(name=f"work{n or ''}", method="GET", path=f"/{name}/{n}", access=access, source=f"{name}.py:{n + 1}")
        for n in range(operations)
    )
    asked = tuple(Call(service=callee, endpoint="work", source=f"{name}.py:1", breaker=breaker) for callee in calls)
    return Service(name=name, entry=f"{name}:{name}", endpoints=made, calls=asked, source=f"{name}.py:1", **facts)


def checked(code: str, *services: Service, observed: Observed | None = None, **options: Any) -> Report:
    """Ask one rule about a system of which nobody has the source."""
    system = System(name="sys", services=services)
    subject = Subject(system=system, observed=observed)
    return run(subject, [BY_CODE[code]], Settings(options={code: options}))


TOWER = (service("aa", "bb"), service("bb", "cc"), service("cc", "dd"), service("dd"))


def test_a_chain_multiplies_what_is_promised_and_what_is_usual() -> None:
    promised = (*TOWER[:3], service("dd", objectives=(Objective(availability=0.99),)))
    (finding,) = checked("SH101", *promised).findings
    assert str(finding.where) == "aa.py:1"
    assert "98.8 %" in finding.impact  # 0.999 × 0.999 × 0.99
    assert "517 minutes" in finding.impact
    assert [str(note.where) for note in finding.notes] == ["bb.py:1", "cc.py:1"]


def test_a_callee_that_may_be_away_does_not_multiply() -> None:
    (finding,) = checked("SH101", TOWER[0], service("bb", "cc", breaker=GUARDED), *TOWER[2:]).findings
    assert "99.8 % of the requests find all 2 callees" in finding.impact


def test_a_chain_is_as_slow_as_a_run_has_measured() -> None:
    seen = tuple(SeenOperation(service=name, endpoint="work", count=9, p99=0.02) for name in ("bb", "cc", "dd"))
    (finding,) = checked("SH101", *TOWER, observed=Observed(run="run 1", operations=seen)).findings
    assert "p99 adds to 60 ms (measured)" in finding.impact


def test_a_longer_chain_may_be_allowed() -> None:
    assert not checked("SH101", *TOWER, most=4).findings
    assert not checked("SH101", *TOWER[1:]).findings


def test_a_circle_is_told_call_by_call() -> None:
    (finding,) = checked("SH102", service("aa", "bb"), service("bb", "cc"), service("cc", "aa")).findings
    assert finding.message.endswith("aa → bb → cc → aa")
    assert [note.text for note in finding.notes] == ["bb calls cc.work", "cc calls aa.work"]


def test_what_a_run_saw_again_and_again_is_chatty() -> None:
    seen = SeenCall(caller="aa", callee="bb", endpoint="work", count=90, p50=0.002, most=30)
    (finding,) = checked("SH103", *TOWER, observed=Observed(run="run 1", calls=(seen,))).findings
    assert (str(finding.where), "30 times" in finding.message, "30 × 2.0 ms" in finding.impact) == (
        "aa.py:1",
        True,
        True,
    )


def test_a_small_service_with_two_neighbours_is_none_too_many() -> None:
    around = (service("aa", "small", operations=3), service("bb", operations=3), service("cc", operations=3))
    assert [f.message for f in checked("SH105", *around, service("small")).findings] == [
        "small does 1 thing and has to do with aa only"
    ]
    assert not checked("SH105", *around, service("small", "bb")).findings
    assert not checked("SH105", *around[:2], service("small")).findings


def test_a_service_may_be_large_among_large_ones() -> None:
    equal = [service(name, operations=40) for name in ("aa", "bb", "cc")]
    assert not checked("SH106", *equal).findings
    assert checked("SH106", *equal, most=39).findings
    assert [f.message.split()[0] for f in checked("SH106", *TOWER, service("ee", operations=30)).findings] == ["ee"]


def test_callees_that_may_be_away_hold_a_system_less_together() -> None:
    (finding,) = checked("SH107", *TOWER).findings
    assert "50% of the others" in finding.message  # 3 + 2 + 1 + 0 of 12
    assert not checked(
        "SH107", service("aa", "bb", breaker=GUARDED), service("bb", "cc", breaker=GUARDED), *TOWER[2:]
    ).findings


WITHIN = page.read(BY_CODE["SH103"]).example("Bad").files["system.py"]


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("[await products.price(sku='a'), await products.price(sku='b')]", []),
        ("[" + "await products.price(sku='a'), " * 4 + "]", ["SH103"]),
        ("[one async for one in products.price(sku=sku)]", []),
    ],
)
def test_few_calls_in_one_handler_are_no_chat(body: str, codes: list[str], tmp_path: Path) -> None:
    text = WITHIN.replace("sum([await products.price(sku=each) for each in sku])", f"len({body})")
    assert text != WITHIN
    assert [code for code, _ in found(report_of(tmp_path, {"system.py": text}, "SH103"))] == codes


SHARED = page.read(BY_CODE["SH104"]).example("Bad").files["system.py"]


@pytest.mark.parametrize(
    ("before", "after", "codes"),
    [
        ("timeout=2.0)\nasync def page", "timeout=4.0)\nasync def page", []),
        ("await stock.left()", "0", []),
        ("async def page(", "async def page(deadline: Deadline, ", ["SH104"]),  # which it never looks at
        ("[await prices.price(), await stock.left()]", "await both(prices, stock)", ["SH104"]),
    ],
)
def test_time_is_enough_shared_or_missing(before: str, after: str, codes: list[str], tmp_path: Path) -> None:
    helper = "async def both(prices: PricesApi, stock: StockApi) -> list[int]:\n"
    helper += "    return [await prices.price(), await stock.left()]\n"
    text = SHARED.replace(before, after).replace("import Service", "import Deadline, Service") + helper
    assert text != SHARED
    assert [code for code, _ in found(report_of(tmp_path, {"system.py": text}, "SH104"))] == codes


def test_who_looks_at_the_deadline_shares_its_time(tmp_path: Path) -> None:
    text = SHARED.replace("async def page(", "async def page(deadline: Deadline, ")
    text = text.replace("return [await", "return [int(deadline.remaining()), await")
    text = text.replace("import Service", "import Deadline, Service")
    assert found(report_of(tmp_path, {"system.py": text}, "SH104", "SH002")) == []
