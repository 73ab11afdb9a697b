"""Rules about whose a thing is."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal import Principal, Problem, owner, rule


class Order(NamedTuple):
    customer: str


def customer_of(order: Order) -> str:
    return order.customer


def is_clerk(order: Order, principal: Principal) -> bool:
    return "clerk" in principal.roles


OWN = owner("order", customer_of)
CLERK = rule("order", is_clerk)


@given(customer=st.text(), subject=st.text(min_size=1))
def test_a_thing_is_for_its_owner_only(customer: str, subject: str) -> None:
    principal = Principal(subject=subject)
    if customer == subject:
        assert OWN.require(Order(customer), principal).customer == subject
    else:
        with pytest.raises(Problem):
            OWN.require(Order(customer), principal)


@pytest.mark.parametrize("order", [None, Order("bob"), Order("")])
def test_what_is_not_there_and_what_is_not_yours_look_the_same(order: Order | None) -> None:
    with pytest.raises(Problem) as refused:
        OWN.require(order, Principal(subject="ann"))
    assert (refused.value.status, refused.value.detail) == (404, "there is no such order")


def test_nobody_owns_what_has_no_owner() -> None:
    with pytest.raises(Problem):
        OWN.require(Order(""), Principal(subject=""))


def test_one_of_two_rules_is_enough() -> None:
    either = OWN | CLERK
    assert either.require(Order("ann"), Principal(subject="ann"))
    assert either.require(Order("ann"), Principal(subject="eve", roles=frozenset({"clerk"})))
    with pytest.raises(Problem):
        either.require(Order("ann"), Principal(subject="eve"))


@pytest.mark.parametrize("said", [None, 1, "yes", [1]])
def test_only_true_allows(said: object) -> None:
    with pytest.raises(Problem):
        rule("order", lambda _, __: said).require(Order("ann"), Principal(subject="ann"))  # type: ignore[arg-type, return-value]
