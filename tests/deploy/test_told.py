"""What the codes of findings mean: each that the source may make is told, and no other."""

from shoal.check.told import TOLD as OF_A_PLAN
from shoal.deploy.told import TOLD
from tests.deploy.codes import codes


def test_every_code_that_may_be_found_is_told_and_no_other() -> None:
    assert set(TOLD) == codes()
    assert not set(TOLD) & set(OF_A_PLAN)


def test_each_is_a_sentence() -> None:
    for code, text in TOLD.items():
        assert text[0].isupper(), code
        assert text.rstrip("`").endswith("."), code
