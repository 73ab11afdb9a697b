"""An earlier bill against this one: what changed, by service and component, for people and pull requests."""

from decimal import Decimal
from typing import Any

import pytest

from shoal.cost import changes, render
from shoal.cost.bill import Bill
from shoal.cost.estimate import Estimate, Item, priced
from shoal.cost.prices import packaged
from shoal.cost.usage import Usage, exactly

TABLE = packaged("aws", "us-east-1")


def bill(**hours: int) -> Estimate:
    items = [Item(component="NAT", price="nat.hour", amount=exactly(n), service=name) for name, n in hours.items()]
    return priced([*items, Item(component="riddle", price="nobody.knows", amount=exactly(1), service="web")], TABLE)


def document(found: Estimate) -> dict[str, Any]:
    return render.document(Bill(estimate=found, requests=exactly(1000), usage=Usage(), operations={}, tips=()))


def test_what_changed_is_named_and_what_did_not_is_not() -> None:
    found = changes.changes("main", document(bill(web=100, till=100, gone=200)), bill(web=100, till=300, fresh=20))
    assert [(one.service, one.before, one.now) for one in found.components] == [
        ("fresh", None, Decimal("0.90")),
        ("gone", Decimal("9.00"), None),
        ("till", Decimal("4.50"), Decimal("13.50")),
    ]
    assert (found.before, found.now) == (Decimal("18.00"), Decimal("18.90"))
    assert [*changes.told(found)][-1] == "total: 18.00 before, 18.90 now (+0.90)"


def test_a_price_that_became_known_is_a_change() -> None:
    before = document(bill(web=100))
    before["services"]["web"]["lines"][0]["cost"] = None
    found = changes.changes("main", before, bill(web=100))
    assert [(one.component, one.before) for one in found.components] == [("NAT", None)]


def test_a_pull_request_sees_the_sum_first_and_the_whole_folded() -> None:
    found = changes.changes("main", document(bill(web=100)), bill(web=200))
    lines = changes.markdown(found, "| A |\n").splitlines()
    assert lines[0] == "### Expected a month: 9.00 (+4.50, +100.0 % against main)"
    assert "| web | NAT | 4.50 | 9.00 | +4.50 |" in lines
    assert lines.index("| A |") > lines.index("<details><summary>The whole bill</summary>")
    assert lines[-1] == "</details>"
    same = changes.changes("main", document(bill(web=100)), bill(web=100))
    assert "Nothing that is priced changed." in changes.markdown(same, "")


def test_from_nothing_there_is_no_percentage() -> None:
    found = changes.changes("main", document(bill()), bill(web=100))
    assert changes.markdown(found, "").startswith("### Expected a month: 4.50 (+4.50 against main)")


@pytest.mark.parametrize(
    "earlier",
    [
        {}, [], None, "text", {"total": 3}, {"total": {"expected": "many"}},
        {"total": {"expected": "1"}, "services": 3},
        {"total": {"expected": "1"}, "services": {"a": {}}}, {"total": {"expected": "NaN"}},
        {"total": {"expected": "1"}, "services": {"a": {"total": {"expected": "1"}, "lines": [{"cost": 1}]}}},
    ],
)  # fmt: skip
def test_what_is_no_estimate_is_refused(earlier: Any) -> None:
    with pytest.raises(ValueError, match="no estimate"):
        changes.changes("before.json", earlier, bill(web=1))
