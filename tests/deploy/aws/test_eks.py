"""A cluster of Kubernetes: pods have the rights that tasks have, and find what Terraform made by the same names."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
import yaml

from shoal import files
from shoal.deploy.aws.compile import findings
from shoal.deploy.aws.eks import READER
from shoal.deploy.aws.parts import resources
from shoal.deploy.aws.pods import FOLDER, cluster
from shoal.deploy.aws.resources import Cache, Door, Group, Identity, Kubernetes, Postgres, Role, Secret, Workload
from shoal.deploy.aws.secrets import called
from shoal.deploy.aws.settings import Environment, read
from shoal.errors import DeclarationError
from shoal.model.artifact import Artifact
from tests.deploy.aws.policies import HERE, Policies
from tests.deploy.aws.samples import artifacts, of_kind, scope_of, shops
from tests.deploy.samples import shop

EKS = Environment(
    name="production", compute="eks", account="100000000000", repository="example/shop", hosts=("shop.example",)
)
SCOPE = scope_of(shop(), EKS)
RESOURCES = resources(SCOPE)
SERVICES = tuple(service.name for service in shop().services)
PODS = Policies(RESOURCES, "shop", "production")


@pytest.fixture(scope="module")
def written() -> tuple[Artifact, ...]:
    return artifacts(shop(), EKS)


def objects(written: tuple[Artifact, ...], kind: str) -> list[dict[str, object]]:
    texts = [one.text for one in written if one.path.startswith(f"production/{FOLDER}/") and one.path.endswith(".yaml")]
    found = [document for text in texts if f"kind: {kind}" in text for document in yaml.safe_load_all(text)]
    return [one for one in found if isinstance(one, dict) and one.get("kind") == kind]


def test_every_secret_that_pods_read_is_made_under_the_name_that_they_read() -> None:
    made = {called(SCOPE, name) for name in of_kind(RESOURCES, Secret)}
    asked = {
        match
        for one in artifacts(shop(), EKS)
        if one.path.startswith(f"production/{FOLDER}/")
        for match in re.findall(r"remoteRef:\n\s+key: (\S+)", one.text)
    }
    assert len(asked) > len(SERVICES)
    assert asked <= made


def test_pods_have_the_rights_that_tasks_have() -> None:
    tasks = of_kind(shops(), Role)
    for name in (*SERVICES, "operator"):
        alike = [right for right in tasks[name].rights if not right.actions[0].startswith(("xray:", "logs:"))]
        assert [*PODS.roles[name].rights] == alike
        assert PODS.roles[name].trusts == "pods"
    identities = of_kind(RESOURCES, Identity)
    assert {one.account: one.role for one in identities.values()} == {
        **{name: name for name in SERVICES}, "streams": "operator",
    }  # fmt: skip
    assert {one.namespace for one in identities.values()} == {cluster(SCOPE).environments[0].namespace}


def test_accounts_of_pods_are_those_of_the_manifests(written: tuple[Artifact, ...]) -> None:
    accounts = {str(one["metadata"]["name"]) for one in objects(written, "ServiceAccount")}  # type: ignore[index]
    assert {one.account for one in of_kind(RESOURCES, Identity).values()} <= accounts
    assert READER in accounts


def test_secrets_are_read_by_the_reader_alone_and_only_those_of_this_environment() -> None:
    own = f"arn:aws:secretsmanager:{HERE}:secret:shop-production-orders-store-url-x"
    for other in (own.replace("shop-production", "shop-staging"), own.replace("shop-production-", "bank/")):
        assert not PODS.may(READER, "secretsmanager:GetSecretValue", other)
    reading = [name for name in PODS.roles if PODS.may(name, "secretsmanager:GetSecretValue", own)]
    assert reading == [READER]
    assert PODS.roles[READER].subject == f"shop-production:{READER}"
    assert not PODS.may(READER, "secretsmanager:PutSecretValue", own)


def test_pipelines_push_images_and_find_the_cluster_and_become_no_other_role() -> None:
    assert PODS.may("delivery", "ecr:PutImage", f"arn:aws:ecr:{HERE}:repository/shop/orders")
    assert PODS.may("delivery", "eks:DescribeCluster", f"arn:aws:eks:{HERE}:cluster/shop-production")
    for action in ("eks:UpdateClusterConfig", "eks:CreateAccessEntry", "iam:PassRole", "ecs:RunTask"):
        assert not PODS.may("delivery", action, f"arn:aws:eks:{HERE}:cluster/shop-production")


def test_nothing_of_fargate_is_made_and_engines_are_the_same() -> None:
    assert not of_kind(RESOURCES, Workload)
    assert not of_kind(RESOURCES, Door)
    for kind in (Postgres, Cache):
        assert of_kind(RESOURCES, kind) == of_kind(shops(), kind)
    opened = {one.name for one in of_kind(RESOURCES, Group).values() if "cluster" in one.callers}
    assert {"postgres-users", "valkey", "endpoints"} <= opened


def test_the_interface_of_the_cluster_has_no_address_outside(written: tuple[Artifact, ...]) -> None:
    text = next(one.text for one in written if one.path == "production/eks.tf")
    assert "endpoint_public_access  = false" in text
    assert 'resources = ["secrets"]' in text
    eksctl = yaml.safe_load(next(one.text for one in written if one.path == "production/eksctl.yaml"))
    assert eksctl["vpc"]["clusterEndpoints"] == {"privateAccess": True, "publicAccess": False}
    roles = {one["serviceAccountName"] for one in eksctl["iam"]["podIdentityAssociations"]}
    assert roles == {*SERVICES, "streams"}
    assert eksctl["secretsEncryption"] == {"keyARN": "${KEY}"}, "as Terraform's is"
    assert "aws_kms_key.data.arn" in next(one.text for one in written if one.path == "production/outputs.tf")
    (made,) = of_kind(RESOURCES, Kubernetes).values()
    assert {one["name"] for one in eksctl["addons"]} == {*made.addons}


def test_amazon_takes_roles_on_for_this_cluster_alone(written: tuple[Artifact, ...]) -> None:
    own = "arn:aws:eks:eu-central-1:${data.aws_caller_identity.own.account_id}:cluster/shop-production"
    text = "\n".join(one.text for one in written if one.path.endswith(".tf"))
    for service in ("eks", "pods.eks"):
        trusts = [one for one in text.split('resource "aws_iam_role" ') if f'"{service}.amazonaws.com"' in one]
        assert trusts
        for one in trusts:
            assert f'"aws:SourceArn" = "{own}"' in one.split("\n}\n")[0], service


def test_where_eksctl_makes_the_cluster_terraform_refers_to_it() -> None:
    made = artifacts(shop(), msgspec.structs.replace(EKS, eksctl=True))
    text = "\n".join(one.text for one in made if one.path.endswith(".tf"))
    assert 'data "aws_eks_cluster" "main"' in text
    assert 'resource "aws_eks_' not in text.replace('resource "aws_eks_access_entry"', "")
    assert not re.search(r"(?<!data\.)aws_eks_cluster\.main", text)


def test_pods_trust_the_databases_that_amazon_runs(written: tuple[Artifact, ...], tmp_path: Path) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("the program kubectl is not here, which builds kustomizations")
    files.write_all(tmp_path, written)
    built = subprocess.run(  # noqa: S603 - our own folder
        ["kubectl", "kustomize", str(tmp_path / "production" / FOLDER)],  # noqa: S607 - found above
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    made = [one for one in yaml.safe_load_all(built.stdout) if one]
    stored = {s.name for s in SCOPE.plan.services if {"postgres", "mongo"} & set(SCOPE.uses(s).values())}
    for kind, least in (("Deployment", len(SERVICES)), ("Job", len(stored))):
        some = [one for one in made if one["kind"] == kind]
        assert len(some) >= least
        for one in some:
            spec, name = one["spec"]["template"]["spec"], one["metadata"]["labels"]["app.kubernetes.io/name"]
            mounts = [mount["mountPath"] for mount in spec["containers"][0]["volumeMounts"]]
            migrating = kind == "Deployment" or name in stored
            assert ("/etc/shoal/files" in mounts) == (name in stored and migrating), (kind, name)
    reader = next(one for one in made if one["kind"] == "ServiceAccount" and one["metadata"]["name"] == READER)
    arn = f"arn:aws:iam::100000000000:role/shop-production/shop-production-{READER}"
    assert reader["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": arn}
    (door,) = (one for one in made if one["kind"] == "Gateway")
    assert json.dumps(door["spec"]["infrastructure"]["annotations"]).endswith('"nlb"}')


def test_app_mesh_is_said_to_have_ended_and_a_cluster_needs_the_number_of_the_account() -> None:
    found = {
        one.code: one.severity for one in findings([scope_of(shop(), msgspec.structs.replace(EKS, mesh="app-mesh"))])
    }
    assert found["DEPLOY-AWS-20"] == "error"
    with pytest.raises(DeclarationError, match="twelve digits"):
        read('name = "a"\ncompute = "eks"', where="a.toml")
    with pytest.raises(DeclarationError, match="no machine"):
        read('name = "a"\n[nodes]\ninstance = "large"', where="a.toml")
