"""A second region: what it has of the first, what it does before it takes over, and who may do what there."""

import re
from typing import Any

import msgspec
import pytest

from shoal.deploy.aws.compile import findings
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.parts import resources
from shoal.deploy.aws.resources import Bucket, Documents, Key, Network, Password, Postgres, Role, Secret, Workload
from shoal.deploy.aws.scope import Scope
from shoal.deploy.aws.secrets import called
from shoal.deploy.aws.settings import Engines, Environment, Standby
from shoal.model.system import System
from tests.deploy.aws.policies import Policies
from tests.deploy.aws.samples import artifacts, of_kind, scope_of
from tests.deploy.samples import CAFE, shop

FIRST, SECOND = "eu-central-1", "eu-west-1"
TWO = Environment(
    name="production", region=FIRST, hosts=("shop.example",), zone="Z0123456789ABC", repository="example/shop",
    alarms="somebody@example.com", budget=100, engines=Engines(mongo="db.r6g.large"), standby=Standby(region=SECOND),
)  # fmt: skip


def scopes(system: System | None = None, environment: Environment = TWO) -> tuple[Scope, Scope]:
    first = scope_of(system or shop(), environment)
    second = first.standing_by()
    assert second is not None
    return first, second


def texts(second: bool, system: System | None = None, environment: Environment = TWO) -> dict[str, str]:
    """Read the files of one of the regions."""
    found = {one.path: one.text for one in artifacts(system or shop(), environment)}
    inner = "production/standby/"
    return {path: text for path, text in found.items() if path.startswith(inner) == second}


def changed(**settings: Any) -> Environment:
    return msgspec.structs.replace(TWO, **settings)


def codes(environment: Environment, system: System | None = None) -> dict[str, str]:
    return {one.code: one.severity for one in findings([scope_of(system or shop(), environment)])}


def test_it_asks_the_first_region_for_nothing() -> None:
    """It is applied when the first is gone: no provider, no state and no name of a place is there."""
    for path, text in texts(second=True).items():
        if path.endswith(".tf"):
            code = [line for line in text.splitlines() if FIRST in line and not line.lstrip().startswith("#")]
            assert all("replicate_source_db" in line for line in code), (path, code)
    main = texts(second=True)["production/standby/main.tf"]
    assert re.search(r'bucket +=[ ]+"shop-production-standby-state"', main)
    assert re.findall(r'^  region +=[ ]+"(.+)"', main, re.MULTILINE) == [SECOND]


def test_one_variable_takes_over_and_nothing_happens_before() -> None:
    whole = "\n".join(texts(second=True).values())
    assert re.search(r'variable "take_over" \{[^}]*default += false', whole, re.DOTALL)
    found, first = (resources(scope) for scope in reversed(scopes()))
    for name, one in of_kind(found, Workload).items():
        own = texts(second=True)[f"production/standby/service-{name}.tf"]
        assert re.search(rf"min_capacity += var.take_over \? \(var.fenced \? 0 : {one.least}\) : 0\n", own), name
        assert re.search(r"desired_count += 0\n", own), name
        assert one.least == of_kind(first, Workload)[name].least
    for name, database in of_kind(found, Postgres).items():
        named = f"arn:aws:rds:{FIRST}:<account/own:id>:db:shop-production-{name}"
        assert str(database.replica) == named
        own = texts(second=True)[f"production/standby/service-{name}.tf"]
        assert re.search(r'replicate_source_db += var.take_over \? null : "arn:aws:rds', own), name
        assert re.search(r"skip_final_snapshot += var.take_over \? false : true", own), name
    for name, cluster in of_kind(found, Documents).items():
        assert (cluster.follows, cluster.worldly) == (True, of_kind(first, Documents)[name].worldly)


def test_a_region_can_be_kept_from_writing() -> None:
    for name, one in of_kind(resources(scopes()[0]), Workload).items():
        own = texts(second=False)[f"production/service-{name}.tf"]
        assert re.search(rf"min_capacity += var.fenced \? 0 : {one.least}\n", own), name
    assert re.search(r'variable "fenced" \{[^}]*default += false', texts(second=False)["production/main.tf"], re.DOTALL)


def test_its_ways_out_are_there_only_when_something_runs() -> None:
    asleep = of_kind(resources(scopes()[1]), Network)["main"]
    warm = of_kind(resources(scopes(environment=changed(standby=Standby(region=SECOND, copies=1)))[1]), Network)["main"]
    assert (asleep.asleep, warm.asleep) == (True, False)
    assert "count         = var.take_over ? 3 : 0" in texts(second=True)["production/standby/network.tf"]


def test_only_what_keeps_nothing_runs_before() -> None:
    scope = scopes(environment=changed(standby=Standby(region=SECOND, copies=2)))[1]
    for name, one in of_kind(resources(scope), Workload).items():
        assert one.passive == (0 if scope.plan.service(name).store is not None else 2), name


def test_what_somebody_filled_in_is_there_and_what_is_sealed_can_be_opened() -> None:
    first, second = scopes()
    before, found = resources(first), resources(second)
    for name, secret in of_kind(before, Secret).items():
        if secret.text is None and not secret.regional:
            assert secret.to == SECOND, name
            assert of_kind(found, Secret)[name].place == "given"
    for name, key in of_kind(before, Key).items():
        if key.lasting and key.place == "here":
            assert of_kind(before, Key)[f"{name}-standby"].of == name
            assert of_kind(found, Key)[name].place == "given"
    own = texts(second=False)["production/service-users.tf"]
    assert re.search(r'resource "aws_kms_key" "personal-users" \{[^}]*multi_region +=[ ]+true', own, re.DOTALL)
    kept = re.findall(
        r'"aws_kms_(?:replica_)?key" "personal-users(?:-standby)?" .*?prevent_destroy = true', own, re.DOTALL
    )
    assert len(kept) == 2
    assert "ignore_changes  = [multi_region]" in own, "a key of one region is not replaced by another"
    assert re.search(r'"aws_kms_replica_key" "personal-users-standby" \{\n +provider +=[ ]+aws.standby\n', own)


def test_a_database_has_the_password_that_it_had() -> None:
    first, second = (resources(scope) for scope in scopes())
    for name, one in of_kind(second, Password).items():
        assert (one.place == "given") == name.endswith(("-postgres", "-mongo")), name
    held = of_kind(first, Secret)["users/postgres-password"]
    assert (str(held.text), held.to) == ("password/users-postgres:result", SECOND)
    assert (
        "data.aws_secretsmanager_secret_version.users-postgres.secret_string"
        in (texts(second=True)["production/standby/service-users.tf"])
    )


def test_names_that_the_world_or_the_account_has_once_are_apart() -> None:
    first, second = scopes()
    names = [{scope.named(role) for role in of_kind(resources(scope), Role)} for scope in (first, second)]
    assert not names[0] & names[1]
    made = {
        kind for text in texts(second=True).values() for kind in re.findall(r'^resource "(\w+)"', text, re.MULTILINE)
    }
    once = {
        "aws_iam_openid_connect_provider",
        "aws_budgets_budget",
        "aws_s3_bucket",
        "aws_dynamodb_table",
        "aws_kms_key",
    }
    whole = "\n".join(texts(second=False).values())
    assert not made & once
    assert all(f'resource "{kind}"' in whole for kind in once)


def test_who_starts_a_service_reads_its_own_secrets_in_both_places_and_nobody_elses() -> None:
    _, second = scopes()
    for name, role in of_kind(resources(second), Role).items():
        if name.endswith("-start"):
            read = [r for r in role.rights if "secretsmanager:GetSecretValue" in r.actions]
            names = {str(one).rpartition(":secret:")[2] for right in read for one in right.resources}
            own = name.removesuffix("-start")
            kinds = [f"shop-production{where}/{who}/*" for where in ("", "-standby") for who in (own, "all")]
            assert names <= set(kinds), name
    for role in of_kind(resources(second), Role).values():
        for right in role.rights:
            for thing in right.resources:
                assert FIRST not in str(thing), role.name


def test_pipelines_push_and_deliver_into_both_regions() -> None:
    first = Policies(resources(scopes()[0]), "shop", "production")
    assert "delivery" not in of_kind(resources(scopes()[1]), Role)
    for region, environment in ((FIRST, "shop-production"), (SECOND, "shop-production-standby")):
        assert first.may("delivery", "ecs:UpdateService", f"arn:aws:ecs:{region}:100000000000:service/{environment}/x")
        assert first.may(
            "delivery", "iam:PassRole", f"arn:aws:iam::100000000000:role/{environment}/{environment}-users"
        )
        assert first.may("delivery", "ecr:PutImage", f"arn:aws:ecr:{region}:100000000000:repository/shop/users")
    assert not first.may("delivery", "ecr:PutImage", f"arn:aws:ecr:{SECOND}:100000000000:repository/other/users")
    assert not first.may("delivery", "ecs:UpdateService", f"arn:aws:ecs:{SECOND}:100000000000:service/other/x")


def test_secrets_are_looked_up_by_the_names_that_the_first_region_gave_them() -> None:
    first, second = scopes()
    context = Context(scope=second, resources=resources(second))
    own = texts(second=True)["production/standby/service-users.tf"]
    assert called(first, "users/signing-key") == "shop-production/users/signing-key"
    assert re.search(r'data "aws_secretsmanager_secret" "users_signing-key" \{\n +name = "shop-production/users/', own)
    assert context.named("x") == "shop-production-standby-x"


def test_objects_are_copied_both_ways_by_a_role_that_does_nothing_else() -> None:
    first = resources(scopes()[0])
    (name,) = [one.name for one in of_kind(first, Bucket).values() if one.place == "here"][:1]
    own = texts(second=False)[f"production/service-{name}.tf"]
    rules = re.findall(r'"aws_s3_bucket_replication_configuration" "([\w-]+)"', own)
    assert rules == [name, f"{name}-standby"]
    actions = {action for right in of_kind(first, Role)["copying"].rights for action in right.actions}
    assert not {one for one in actions if one.startswith("s3:") and "Replic" not in one} - {
        "s3:ListBucket", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging",
    }  # fmt: skip
    assert "s3:GetObject" not in actions


def test_clients_are_led_by_the_variable_alone() -> None:
    second = texts(second=True)["production/standby/edge.tf"]
    assert re.search(r"invert_healthcheck += var.take_over", second)
    assert re.findall(r'type = "(PRIMARY|SECONDARY)"', second) == ["PRIMARY", "SECONDARY"]
    first = texts(second=False)["production/edge.tf"]
    assert re.findall(r'resource "aws_route53_record" "main" \{[^}]*name +=[ ]+"(.+)"', first) == ["first.shop.example"]


def test_without_a_second_region_nothing_is_copied() -> None:
    alone = {one.path: one.text for one in artifacts(shop(), changed(standby=None))}
    assert not [path for path in alone if "standby" in path]
    assert not [path for path, text in alone.items() if "standby" in text or "var.fenced" in text]


@pytest.mark.parametrize(
    ("environment", "code", "severity"),
    [
        (changed(compute="eks", account="100000000000", zone="", hosts=()), "30", "error"),
        (changed(engines=Engines()), "31", "error"),
        (TWO, "32", "info"),
        (TWO, "33", "warning"),
        (TWO, "35", "info"),
        (changed(cognito=True), "36", "warning"),
        (changed(zone="", certificate="arn:aws:acm:x"), "37", "warning"),
        (changed(zone=""), "38", "warning"),
        (changed(region="us-east-1"), "39", "warning"),
        (changed(web_acl="arn:aws:wafv2:x"), "45", "warning"),
        (changed(settings={"PAYMENTS__PROVIDER_URL": "https://x.eu-central-1.example"}), "40", "warning"),
    ],
)
def test_what_it_has_not_is_said(environment: Environment, code: str, severity: str) -> None:
    assert codes(environment)[f"DEPLOY-AWS-{code}"] == severity


def test_an_engine_of_others_is_said_and_a_small_system_lacks_nothing() -> None:
    assert codes(changed(choose=("broker=kafka",)), CAFE)["DEPLOY-AWS-34"] == "warning"
    said = {code for code, severity in codes(TWO, CAFE).items() if severity != "info"}
    assert not {code for code in said if code >= "DEPLOY-AWS-30"}
