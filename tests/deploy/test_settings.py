"""Settings of environments: what is written wrongly is named, with its place."""

import pytest

from shoal.deploy.kubernetes.compile import findings
from shoal.deploy.kubernetes.engines.postgres import pool
from shoal.deploy.kubernetes.settings import Environment, Size, Storage, agreed, read
from shoal.errors import DeclarationError
from tests.deploy.samples import CAFE, objects, pods, scope_of, written

FULL = """\
name = "production"
mesh = "istio-ambient"
hosts = ["api.cafe.example"]
registry = "registry.example/team"
version = "1.4.2"
least = 3
most = 10

[engines]
postgres = "managed"

[reach]
postgres = ["10.1.0.0/16"]

[secrets]
store = "aws"
region = "eu-central-1"

[storage]
size = "50Gi"
backup = "s3://backups/cafe"

[services.till]
least = 4
cpu = "500m"

[settings]
TILL__CURRENCY = "EUR"
"""


def test_a_file_says_everything() -> None:
    found = read(FULL, where="production.toml")
    assert (found.name, found.mesh, found.hosts, found.least) == (
        "production",
        "istio-ambient",
        ("api.cafe.example",),
        3,
    )
    assert found.services == {"till": Size(least=4, cpu="500m")}
    assert found.reach == {"postgres": ("10.1.0.0/16",)}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[services", "no TOML"),
        ("", "missing required field `name`"),
        ('name = "p"\nmoon = 1', "there is no setting `moon`"),
        ('name = "p"\nleast = "three"', "Expected `int`, got `str` - at `$.least`"),
        ('name = "p"\nmesh = "consul"', "Invalid enum value 'consul' - at `$.mesh`"),
        ('name = "P"', "is not a DNS label"),
        ('name = "p"\nnamespace = "-"', "is not a DNS label"),
        ('name = "p"\nhosts = ["https://a.example"]', "'https://a.example' is no name of a host"),
        ('name = "p"\n[digests]\ntill = "1.0"', "'1.0' is no digest of an image"),
        ('name = "p"\n[reach]\npostgres = ["everywhere"]', "'everywhere' is no network"),
        ('name = "p"\nleast = 5\nmost = 2', "write 1 <= least <= most <= 1000"),
        ('name = "p"\n[services.till]\nmemory = "much"', "memory = 'much' is no quantity"),
        ('name = "p"\n[services.till]\nleast = 9\nmost = 3', "least = 9 is more than most = 3"),
        ('name = "p"\n[services.till]\nbusy = 0', "busy is 1 to 100 percent"),
        ('name = "p"\n[engines]\npostgres = "moon"', "Invalid enum value 'moon'"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(line: str, said: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        read(line, where="targets/p.toml")
    assert said in str(caught.value)
    assert caught.value.where == "targets/p.toml"


def test_environments_of_one_base_must_agree() -> None:
    dev, staging = Environment(name="dev", mesh="linkerd"), Environment(name="staging")
    with pytest.raises(DeclarationError, match="dev and staging disagree about mesh: 'linkerd' and 'istio'"):
        agreed((dev, staging))
    with pytest.raises(DeclarationError, match="two environments are called dev"):
        agreed((dev, dev))
    with pytest.raises(DeclarationError, match="no environment"):
        agreed(())
    assert agreed((staging, Environment(name="dev", least=1))) is staging


@pytest.mark.parametrize(
    ("environment", "code"),
    [
        (Environment(name="p", engines={"kafka": "cluster"}), "DEPLOY-ENGINE-02"),
        (Environment(name="p", reach={"moon": ("10.0.0.0/8",)}), "DEPLOY-REACH-01"),
        (Environment(name="p", services={"moon": Size()}), "DEPLOY-SIZE-01"),
        (Environment(name="p", digests={"moon": f"sha256:{64 * '0'}"}), "DEPLOY-SIZE-01"),
        (Environment(name="p", settings={"MOON": "1"}), "DEPLOY-SETTING-02"),
        (Environment(name="p", gateway_class="nginx"), "DEPLOY-MESH-02"),
    ],
)
def test_what_cannot_be_meant_is_an_error(environment: Environment, code: str) -> None:
    assert [f.code for f in findings(scope_of(CAFE, environment)) if f.severity == "error"] == [code]


def test_what_can_be_meant_is_none() -> None:
    assert not [f for f in findings(scope_of(CAFE, read(FULL, where="p.toml"))) if f.severity == "error"]


def test_a_database_of_which_nobody_keeps_a_backup_is_named() -> None:
    def codes(environment: Environment) -> set[str]:
        return {finding.code for finding in findings(scope_of(CAFE, environment))}

    assert "DEPLOY-ENGINE-05" in codes(Environment(name="p"))
    assert "DEPLOY-ENGINE-05" not in codes(Environment(name="p", engines={"postgres": "managed"}))
    assert "DEPLOY-ENGINE-05" not in codes(Environment(name="p", storage=Storage(backup="s3://backups/cafe")))


def test_what_others_run_is_asked_for_by_name() -> None:
    managed = {"postgres": "managed", "nats": "managed"}
    found = findings(scope_of(CAFE, Environment(name="p", engines=managed)))  # type: ignore[arg-type]
    assert {"DEPLOY-ENGINE-04", "DEPLOY-REACH-02", "DEPLOY-SCALE-02"} <= {finding.code for finding in found}
    reached = Environment(name="p", engines=managed, reach=dict.fromkeys(managed, ("10.0.0.0/16",)))  # type: ignore[arg-type]
    assert "DEPLOY-REACH-02" not in {finding.code for finding in findings(scope_of(CAFE, reached))}


def test_a_pod_starts_without_the_authority_of_a_server_that_others_run() -> None:
    elsewhere = Environment(name="q", engines={"postgres": "managed"})
    for environments, volumes in (
        ((Environment(name="p"),), [None]),
        ((Environment(name="p"), elsewhere), [True]),
        ((elsewhere,), []),
    ):
        documents = objects(written(CAFE, *environments))
        (till,) = (template for name, template in pods(documents) if name == "Deployment till")
        found = [v["secret"] for v in till["spec"]["volumes"] if v["name"] == "authorities"]
        assert [one.get("optional") for one in found] == volumes


@pytest.mark.parametrize(("most", "each"), [(4, 16), (10, 8), (200, 1)])
def test_most_replicas_find_room_in_their_database(most: int, each: int) -> None:
    scope = scope_of(CAFE, Environment(name="production", least=1, most=most))
    service = next(one for one in scope.users("postgres") if one.search is None)
    assert pool(scope, service) == each
    assert (each + 1) * (most + 1) <= 100 or each == 1
