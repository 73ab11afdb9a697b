"""Names stay within AWS's limits and apart from each other; settings that AWS would refuse are refused here."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.deploy.aws import naming
from shoal.deploy.aws.settings import Environment, Size, read
from shoal.deploy.cloud.naming import joined, owner
from shoal.errors import DeclarationError

LABELS = st.from_regex(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True)
LIMITS = st.sampled_from((naming.BALANCER, naming.ROLE, naming.DATABASE, naming.CACHE, naming.DOMAIN, naming.BUCKET))


@given(LABELS, LABELS, LABELS, LIMITS)
def test_names_fit(system: str, environment: str, service: str, limit: int) -> None:
    name = joined(system, environment, service, limit=limit)
    assert len(name) <= limit
    assert re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", name)


@given(LABELS, LABELS, LABELS, LIMITS)
def test_services_have_names_of_their_own(system: str, one: str, other: str, limit: int) -> None:
    names = {joined(system, "production", name, limit=limit) for name in (one, other)}
    assert len(names) == len({one, other})


def test_words_that_an_engine_keeps_for_itself_name_no_database() -> None:
    assert [owner(name) for name in ("order", "user", "orders", "a-b")] == [
        "order_own",
        "user_own",
        "orders",
        "a_b",
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        'region = "Frankfurt"', "zones = 4", "gateways = 0\nendpoints = false", "least = 0", 'cidr = "10.0.0.0/24"',
        'hosts = ["Shop!"]', "colour = 3", "[services.orders]\ncpu = 256\nmemory = 4096", "least =",
        'certificate = "arn:aws:acm:x"', "keep_logs = 31", "keep_backups = 60", "passwords = 0",
        'hosts = ["a.example"]\nzone = "example"', 'zone = "Z1"',
    ],
)  # fmt: skip
def test_wrong_settings_are_refused_and_named(wrong: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        read(f'name = "production"\n{wrong}\n', where="targets/aws.toml")
    assert caught.value.where == "targets/aws.toml"


def test_settings_are_read() -> None:
    text = 'name = "production"\nregion = "us-east-1"\n[services.orders]\ncpu = 1024\nmemory = 2048\nspot = true\n'
    assert read(text, where="x") == Environment(
        name="production", region="us-east-1", services={"orders": Size(cpu=1024, memory=2048, spot=True)}
    )
