"""The page about systems of others says what was judged, and everything was."""

import os

from shoal.check.table import RULES
from tests.precision.judged import PAGE, page, read


def test_the_page_says_what_the_data_say() -> None:
    text = page(read())
    if os.environ.get("SHOAL_UPDATE_GOLDEN"):
        PAGE.write_text(text, "utf-8")
    assert PAGE.read_text("utf-8") == text, "SHOAL_UPDATE_GOLDEN=1 writes it anew"


def test_every_finding_is_judged_with_a_reason() -> None:
    codes = {rule.code for rule in RULES}
    for system in read().systems:
        assert len(system.commit) == 40
        assert system.services
        assert len({(f.code, f.place, f.message) for f in system.findings}) == len(system.findings)
        for finding in system.findings:
            assert finding.code in codes
            assert finding.verdict, f"{system.name} {finding.place} {finding.code} has no verdict"
            assert finding.reason.endswith("."), f"{system.name} {finding.place} {finding.code} has no reason"


def test_nine_of_ten_findings_are_right() -> None:
    verdicts = [finding.verdict for system in read().systems for finding in system.findings]
    assert verdicts.count("true") / len(verdicts) >= 0.9
    assert verdicts.count("false") / len(verdicts) <= 0.03
