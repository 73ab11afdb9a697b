"""Names stay within Google's limits and apart from each other; settings that Google would refuse are refused here."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.deploy.gcp import naming
from shoal.deploy.gcp.settings import Environment, Size, read
from shoal.errors import DeclarationError

LABELS = st.from_regex(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True)
PROJECTS = st.from_regex(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", fullmatch=True)


@given(LABELS)
def test_accounts_and_databases_fit(service: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", naming.account(service))
    assert re.fullmatch(r"[a-z][a-z0-9-]{2,61}[a-z0-9]", naming.database(service))
    assert re.fullmatch(r"\w{1,1024}", naming.dataset(service), re.ASCII)
    assert re.fullmatch(r"[\w-]{1,255}", naming.secret(service, "objects-url"), re.ASCII)
    assert len(f"{service}-{10**12}") <= 63, "with the number of its project it is a name of one label"


@given(LABELS, LABELS)
def test_projects_fit(system: str, environment: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", naming.project(system, environment))


@given(PROJECTS, LABELS)
def test_buckets_fit(project: str, service: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", naming.bucket(project, service))


@given(LABELS, LABELS)
def test_services_have_names_of_their_own(one: str, other: str) -> None:
    for name in (naming.account, naming.database, naming.dataset):
        assert (name(one) == name(other)) == (one == other)
    assert naming.account(one) not in ("operator", "delivery", "api-gateway")


@pytest.mark.parametrize(
    "wrong",
    [
        'region = "Frankfurt"', 'project = "Shop"', 'door = "balancer"', 'hosts = ["Shop!"]', "colour = 3", "least =",
        "[services.orders]\ncpu = 9000", "[services.orders]\nspot = true", 'billing = "mine"', "number = -1",
        "repository = \"a/b' || true\"",

        'compute = "kubernetes"\ndoor = "gateway"', 'compute = "engine"', 'cidr = "10.0.0.0/24"', "most = 0",
    ],
)  # fmt: skip
def test_wrong_settings_are_refused_and_named(wrong: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        read(f'name = "production"\n{wrong}\n', where="targets/gcp.toml")
    assert caught.value.where == "targets/gcp.toml"


def test_settings_are_read() -> None:
    text = 'name = "production"\nregion = "us-central1"\nleast = 0\n[services.orders]\ncpu = 2048\nmemory = 1024\n'
    assert read(text, where="x") == Environment(
        name="production", region="us-central1", least=0, services={"orders": Size(cpu=2048, memory=1024)}
    )
