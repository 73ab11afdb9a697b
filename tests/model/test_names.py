"""The naming law: within every limit, and never the same for two."""

import itertools

import pytest

from shoal.model import names

LABELS = ("a", "b", "a-b", "a-b-c", "b-c", "a--b", "dead", "a-dead", "a--dead", "dead-a", "b-dead")
PAIRS = tuple(itertools.product(LABELS, LABELS))


def test_streams_of_different_services_never_meet_even_on_a_shared_broker() -> None:
    events = [names.stream(system, service) for system, service in PAIRS]
    dead = [names.dead_letter_stream(system, service) for system, service in PAIRS]
    assert len({*events, *dead}) == 2 * len(PAIRS)
    assert not any(set(name) & set(" .*>/\\") for name in (*events, *dead))


def test_subjects_of_different_systems_never_meet() -> None:
    events = [names.subject(system, names.event_id(f"{service}.sold", 1), 0) for system, service in PAIRS]
    dead = [names.dead_letter_subject(system, service) for system, service in PAIRS]
    again = [names.again_subject(system, service) for system, service in PAIRS]
    assert len({*events, *dead, *again}) == 3 * len(PAIRS)


def test_a_key_goes_to_the_same_part_for_ever_and_every_part_is_used() -> None:
    assert [names.part_of(key) for key in ("a", "b", "order-1", "order-2")] == [3, 1, 3, 1]
    assert {names.part_of(str(number)) for number in range(100)} == set(range(names.PARTS))


def test_databases_identities_and_versions_are_one_per_thing() -> None:
    assert len({names.database(label) for label in LABELS}) == len(LABELS)
    assert len({names.identity(*pair) for pair in PAIRS}) == len(PAIRS)
    assert names.event_id("orders.placed", 2) == "orders.placed.v2"
    assert names.identity("shop", "orders") == "spiffe://shop/orders"
    assert names.variable("order-desk", "provider_url") == "ORDER_DESK__PROVIDER_URL"


@pytest.mark.parametrize("limit", [16, 40, 63])
def test_a_long_name_is_trimmed_from_the_front_and_stays_its_own(limit: int) -> None:
    long = [f"{'x' * length}-orders-{end}" for length in (60, 61, 62) for end in "ab"]
    short = [names.shorten(name, limit) for name in long]
    assert len(set(short)) == len(long)
    assert all(len(name) <= limit for name in short)
    assert all(full.endswith(name.partition("-")[2]) for name, full in zip(short, long, strict=True))
    assert names.shorten(long[0], limit) == short[0]


def test_a_name_within_the_limit_is_left_alone() -> None:
    assert names.shorten("orders", 6) == "orders"


@pytest.mark.parametrize("label", ["a", "a1", "a-b", "x" * 40])
def test_labels(label: str) -> None:
    assert names.check_label("service", label) == label
    assert len(names.stream(label, label)) < 256
