"""What an account has already when an environment is made in it, and what is left of one that is destroyed."""

import re

import msgspec
import pytest

from shoal.deploy.aws.findings import findings
from shoal.deploy.aws.settings import Environment, read
from shoal.errors import DeclarationError
from tests.deploy.aws.samples import PRODUCTION, SMALL, artifacts, scope_of
from tests.deploy.samples import CAFE, shop

KNOWN = Environment(name="production", repository="example/cafe", existing_oidc=True)
EKS = Environment(name="production", compute="eks", account="100000000000")
PROVIDER = "aws_iam_openid_connect_provider"


def written(environment: Environment) -> str:
    return "".join(one.text for one in artifacts(shop(), environment) if one.path.endswith(".tf"))


def test_who_vouches_for_pipelines_is_made_in_the_first_environment_of_an_account() -> None:
    text = written(PRODUCTION)
    assert f'resource "{PROVIDER}" "pipelines"' in text
    assert f'data "{PROVIDER}"' not in text
    assert re.search(rf"Federated = {PROVIDER}\.pipelines\.arn", text)


def test_who_vouches_for_pipelines_is_looked_up_where_the_account_has_it() -> None:
    text = written(KNOWN)
    assert f'resource "{PROVIDER}" "pipelines"' not in text
    assert f'data "{PROVIDER}" "pipelines"' in text
    assert re.search(rf"Federated = data\.{PROVIDER}\.pipelines\.arn", text)
    assert not re.search(rf"[^.]\b{PROVIDER}\.pipelines", text)


def test_nobody_is_looked_up_where_nobody_delivers() -> None:
    alone = msgspec.structs.replace(KNOWN, repository="")
    assert PROVIDER not in written(alone)


def test_what_is_left_of_a_database_is_called_as_nothing_that_was_left_before() -> None:
    names = re.findall(r'final_snapshot_identifier += "([^"]+)"', written(PRODUCTION))
    assert len(names) == len({*names}) == 6  # five databases, a cluster of documents
    assert all(name.endswith("-last-${terraform_data.begun.output}") for name in names)


def test_only_the_names_that_pipelines_move_are_moved() -> None:
    for branch in ("main", "trunk"):
        text = written(msgspec.structs.replace(PRODUCTION, branch=branch))
        assert {*re.findall(r'image_tag_mutability += "(\w+)"', text)} == {"IMMUTABLE_WITH_EXCLUSION"}
        assert {*re.findall(r'filter += "(.+)"', text)} == {"cache", branch}
    with pytest.raises(DeclarationError, match="is no tag of an image"):
        read('name = "a"\nbranch = "team/trunk"', where="a.toml")


def test_nothing_is_left_of_what_is_not_protected() -> None:
    text = written(SMALL)
    assert "final_snapshot_identifier" not in text
    assert "terraform_data" not in text


def test_a_cluster_says_that_its_nodes_reach_every_database() -> None:
    found = {one.code: one for one in findings(scope_of(CAFE, EKS))}
    assert found["DEPLOY-AWS-26"].severity == "warning"
    assert "DEPLOY-AWS-26" not in {one.code for one in findings(scope_of(CAFE))}
