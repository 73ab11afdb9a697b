"""A cluster of Kubernetes: its interface, its nodes, its add-ons, and the roles of its pods."""

from collections.abc import Iterator

from shoal.deploy.aws.eks import CNI, CONTROL, NODES
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.resources import Identity, Kubernetes, Nodes
from shoal.deploy.cloud.hcl import json, label, resource
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.values import Block, Noted, Raw, Text, Value, block, items

_LOGS: Value = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
_SUBNETS = Raw("aws_subnet.private[*].id")


def cluster(context: Context, attribute: str) -> Raw:
    """Name an attribute of the cluster, whoever made it."""
    return Raw(f"{'data.' if context.scope.environment.eksctl else ''}aws_eks_cluster.main.{attribute}")


def kubernetes(one: Kubernetes, context: Context) -> Iterator[Block]:
    """Write the cluster, or who it is where eksctl makes it."""
    if one.eksctl:
        yield block("data", "aws_eks_cluster", one.name, name=context.named())
    else:
        yield from _made(one, context)
    issuer = cluster(context, "identity[0].oidc[0].issuer")
    yield resource(
        "aws_iam_openid_connect_provider", "cluster",
        *items({"url": issuer, "client_id_list": ["sts.amazonaws.com"]}),
        notes=("By it an account of the cluster becomes a role; pods have theirs by EKS Pod Identity.",),
    )  # fmt: skip


def _made(one: Kubernetes, context: Context) -> Iterator[Block]:
    name = context.named(limit=100)
    group: dict[str, Value] = {"name": f"/aws/eks/{name}/cluster", "retention_in_days": one.days}
    yield resource("aws_cloudwatch_log_group", "cluster", *items(group))
    access = block("access_config", authentication_mode="API", bootstrap_cluster_creator_admin_permissions=True)
    inside = block("vpc_config", subnet_ids=_SUBNETS, endpoint_private_access=True, endpoint_public_access=False)
    key = block("provider", key_arn=context.at(Ref("key", "data")))
    yield resource(
        "aws_eks_cluster",
        one.name,
        *items(
            {
                "name": name,
                "version": one.version,
                "role_arn": context.at(Ref("role", CONTROL)),
                "enabled_cluster_log_types": _LOGS,
                "deletion_protection": one.protected,
                "depends_on": [
                    Raw("aws_cloudwatch_log_group.cluster"),
                    Raw(f"aws_iam_role_policy_attachment.{CONTROL}"),
                ],
            },
            access,
            inside,
            Block(kind="encryption_config", body=items({"resources": ["secrets"]}, key)),
            block("upgrade_policy", support_type="STANDARD"),
            block("zonal_shift_config", enabled=True),
        ),
        notes=context.notes(one),
    )
    for addon, settings in one.addons.items():
        yield _addon(addon, settings, context)


def _addon(name: str, settings: object, context: Context) -> Block:
    """Write an add-on; that of the network comes before nodes, the others run on them."""
    first = name in ("vpc-cni", "eks-pod-identity-agent", "kube-proxy")
    arguments: dict[str, Value] = {
        "cluster_name": Raw("aws_eks_cluster.main.name"),
        "addon_name": name,
        "resolve_conflicts_on_update": "OVERWRITE",
        **({"configuration_values": json(settings)} if settings else {}),  # type: ignore[arg-type]
        **({} if first else {"depends_on": [Raw("aws_eks_node_group.main")]}),
    }
    own = block("pod_identity_association", service_account="aws-node", role_arn=context.at(Ref("role", CNI)))
    return resource("aws_eks_addon", name, *items(arguments, *((own,) if name == "vpc-cni" else ())))


def nodes(one: Nodes, context: Context) -> Iterator[Block]:
    """Write the machines: encrypted disks, and no way for a pod to become its machine."""
    if context.scope.environment.eksctl:
        return
    yield _template(one, context)
    template = block(
        "launch_template",
        id=Raw("aws_launch_template.nodes.id"),
        version=Raw("aws_launch_template.nodes.latest_version"),
    )
    kind = "AL2023_ARM_64_STANDARD" if one.architecture == "ARM64" else "AL2023_x86_64_STANDARD"
    yield resource(
        "aws_eks_node_group",
        one.name,
        *items(
            {
                "cluster_name": Raw("aws_eks_cluster.main.name"),
                "node_group_name": one.name,
                "node_role_arn": context.at(Ref("role", NODES)),
                "subnet_ids": _SUBNETS,
                "instance_types": [one.instance],
                "ami_type": kind,
                "capacity_type": "SPOT" if one.spot else "ON_DEMAND",
                "depends_on": [
                    Raw(f"aws_iam_role_policy_attachment.{NODES}"),
                    Raw("aws_eks_addon.vpc-cni"),
                    Raw("aws_eks_addon.eks-pod-identity-agent"),
                ],
            },
            block("scaling_config", desired_size=one.least, min_size=one.least, max_size=one.most),
            block("update_config", max_unavailable=1),
            block("node_repair_config", enabled=True),
            template,
            block("lifecycle", ignore_changes=[Raw("scaling_config[0].desired_size")]),
        ),
        notes=("One group over all zones: nothing in the cluster keeps a disk.",),
    )


def _template(one: Nodes, context: Context) -> Block:
    why = "One hop: pods do not reach it, so that none takes the machine's role."
    asked = block(
        "metadata_options", http_endpoint="enabled", http_tokens="required", http_put_response_hop_limit=Noted(1, why)
    )
    disk = block("ebs", volume_size=one.disk, volume_type="gp3", encrypted=True, delete_on_termination=True)
    device = Block(kind="block_device_mappings", body=items({"device_name": "/dev/xvda"}, disk))
    return resource(
        "aws_launch_template", "nodes",
        *items({"name": context.named("nodes", limit=100), "update_default_version": True}, asked, device),
    )  # fmt: skip


def identity(one: Identity, context: Context) -> Iterator[Block]:
    """Write which role the pods of an account have."""
    if context.scope.environment.eksctl:
        return
    arguments: dict[str, Value] = {
        "cluster_name": cluster(context, "name"),
        "namespace": one.namespace,
        "service_account": one.account,
        "role_arn": context.at(Ref("role", one.role)),
    }
    yield resource("aws_eks_pod_identity_association", label(one.name), *items(arguments))


def delivered(context: Context) -> Iterator[Block]:
    """Let pipelines into the cluster, as a group of which the manifests say what it may: change this namespace."""
    if context.scope.environment.repository:
        whom: dict[str, Value] = {
            "cluster_name": cluster(context, "name"),
            "principal_arn": Raw("aws_iam_role.delivery.arn"),
            "kubernetes_groups": [context.named("delivery")],
        }
        yield resource("aws_eks_access_entry", "delivery", *items(whom))


def told(context: Context) -> Value:
    """Give out what kubectl and eksctl are asked with."""
    return {
        "name": cluster(context, "name"),
        "vpc": Raw("aws_vpc.main.id"),
        "key": context.at(Ref("key", "data")),
        "subnets": Raw("{ for one in aws_subnet.private : one.availability_zone => one.id }"),
        "connect": Text(
            (f"aws eks update-kubeconfig --region {context.scope.environment.region} --name ", cluster(context, "name"))
        ),
    }
