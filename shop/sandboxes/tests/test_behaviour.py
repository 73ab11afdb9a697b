import pytest

from shop.sandboxes.payment_provider.behaviour import Behaviour, Malformed, parse, strikes


def test_what_a_behaviour_leaves_out_is_as_it_should_be() -> None:
    assert parse({}) == Behaviour()
    assert parse({"decline_rate": 0.25, "fail_after_commit": True}) == Behaviour(
        decline_rate=0.25, fail_after_commit=True
    )


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"decline": 1},
        {"decline_rate": 1.1},
        {"fail_rate": True},
        {"delay_ms": 0.5},
        {"delay_ms": -1},
        {"fail_after_commit": 1},
    ],
)
def test_a_behaviour_that_cannot_be_meant_is_refused(wrong: object) -> None:
    with pytest.raises(Malformed):
        parse(wrong)


def test_the_lot_is_fair_and_always_the_same() -> None:
    struck = [strikes(0.3, "fail", number) for number in range(10_000)]
    assert struck == [strikes(0.3, "fail", number) for number in range(10_000)]
    assert sum(struck) == pytest.approx(3_000, abs=200)
    assert not any(strikes(0.0, number) for number in range(100))
    assert all(strikes(1.0, number) for number in range(100))
