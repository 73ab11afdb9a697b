"""Logs, images, and what runs."""

from collections.abc import Iterator, Mapping

from shoal.deploy.azure.addresses import FILES
from shoal.deploy.azure.called import called
from shoal.deploy.azure.hcl.context import Context, notes
from shoal.deploy.azure.hcl.references import GROUP, HERE, REGION, at, written
from shoal.deploy.azure.resources import Logs, Operator, Place, Registry, Workload
from shoal.deploy.cloud.hcl import label, resource
from shoal.deploy.cloud.settings import UNIT
from shoal.deploy.cloud.values import Ref
from shoal.deploy.cloud.values import Value as Said
from shoal.deploy.terraform.values import Block, Raw, Text, Value, block, items

_TAGS = Raw("local.tags")
_PROFILE = "Consumption"
"""Profile of work that is billed by use."""


def logs(one: Logs, context: Context) -> Iterator[Block]:
    """Write where lines of logs are kept, and traces beside them."""
    said: dict[str, Value] = {
        "name": context.named(),
        **HERE,
        "sku": "PerGB2018",
        "retention_in_days": one.days,
        "tags": _TAGS,
    }
    yield resource("azurerm_log_analytics_workspace", one.name, *items(said), notes=notes(one, context))
    insights: dict[str, Value] = {
        "name": context.named(),
        **HERE,
        "application_type": "other",
        "workspace_id": at(Ref("logs", one.name, "id")),
        "retention_in_days": min(days for days in (30, 60, 90, 120, 180, 270, 365, 550, 730) if days >= one.days),
        "tags": _TAGS,
    }
    yield resource("azurerm_application_insights", one.name, *items(insights))


def registry(one: Registry, context: Context) -> Iterator[Block]:
    """Write where images are; there is no password."""
    said: dict[str, Value] = {
        "name": called(context.scope, "registry"),
        **HERE,
        "sku": one.tier,
        "admin_enabled": False,
        "anonymous_pull_enabled": False if one.tier != "Basic" else None,
        **(_inside(one) if one.tier == "Premium" else {}),
        "tags": _TAGS,
    }
    kept = {name: value for name, value in said.items() if value is not None}
    copied = block("georeplications", location=one.copied, zone_redundancy_enabled=True, tags=_TAGS)
    copies = [copied] if one.copied else []
    yield resource("azurerm_container_registry", one.name, *items(kept, *copies), notes=notes(one, context))


def _inside(one: Registry) -> dict[str, Value]:
    """Close it to all outside but those who bring images."""
    rules: Value = [{"action": "Allow", "ip_range": address} for address in one.operators]
    closed: dict[str, Value] = {"network_rule_set": [{"default_action": "Deny", "ip_rule": rules}]}
    return {
        "zone_redundancy_enabled": True,
        "public_network_access_enabled": bool(one.operators),
        **(closed if one.operators else {}),
    }


def place(one: Place, context: Context) -> Iterator[Block]:
    """Write where apps run: inside, over zones, with calls among them encrypted."""
    said: dict[str, Value] = {
        "name": called(context.scope, "place"),
        **HERE,
        "infrastructure_subnet_id": Raw("azurerm_subnet.apps.id"),
        "internal_load_balancer_enabled": True,
        "zone_redundancy_enabled": one.redundant,
        "mutual_tls_enabled": True,
        "logs_destination": "log-analytics",
        "log_analytics_workspace_id": at(Ref("logs", "main", "id")),
        "tags": _TAGS,
    }
    profile = block("workload_profile", name=_PROFILE, workload_profile_type=_PROFILE)
    kept = block("lifecycle", ignore_changes=[Raw("infrastructure_resource_group_name")])
    yield resource(
        "azurerm_container_app_environment", one.name, *items(said, profile, kept), notes=notes(one, context)
    )


def workload(one: Workload, context: Context) -> Iterator[Block]:
    """Write the app of a service, how many replicas there are, and what they follow."""
    said: dict[str, Value] = {
        "name": called(context.scope, "workload", one.name),
        "container_app_environment_id": at(Ref("place", "main", "id")),
        "resource_group_name": GROUP,
        "revision_mode": "Single",
        "workload_profile_name": _PROFILE,
        "tags": _TAGS,
        "depends_on": _needed(one.name, context),
    }
    shown = [*_secrets(one, context), *_ingress(one), *_beside(one, context)]
    blocks = [_identity(one.name), _registry(one.name), *shown, _template(one)]
    yield resource("azurerm_container_app", one.name, *items(said, *blocks), notes=notes(one, context))


def operator(one: Operator, context: Context) -> Iterator[Block]:
    """Write the job that declares streams."""
    container: dict[str, Value] = {
        "name": one.name,
        "image": _image(one.image, one.version),
        "command": ["python", "-m", "shoal.runtime.declaring"],
        "cpu": 0.25,
        "memory": "0.5Gi",
    }
    said: dict[str, Value] = {
        "name": called(context.scope, "job", one.name),
        "location": REGION,
        "resource_group_name": GROUP,
        "container_app_environment_id": at(Ref("place", "main", "id")),
        "workload_profile_name": _PROFILE,
        "replica_timeout_in_seconds": 600,
        "replica_retry_limit": 1,
        "tags": _TAGS,
        "depends_on": _needed(one.name, context),
    }
    template = Block(
        kind="template", body=items(None, Block(kind="container", body=items(container, *_told(one.environment, {}))))
    )
    trigger = block("manual_trigger_config", parallelism=1, replica_completion_count=1)
    blocks = [_identity(one.name), _registry(one.name), trigger, template]
    yield resource("azurerm_container_app_job", one.name, *items(said, *blocks), notes=notes(one, context))


def _needed(identity: str, context: Context) -> Value:
    """Name the rights and the addresses inside without which an image or a secret could not be read."""
    rights = [f"azurerm_role_assignment.{label(name)}" for name in context.needed(identity)]
    ways = [f"azurerm_private_endpoint.{label(one.name)}" for one in context.inside]
    links = [f"azurerm_private_dns_zone_virtual_network_link.{label(one.zone)}" for one in context.inside]
    return [Raw(text) for text in (*rights, *ways, *links)]


def _identity(name: str) -> Block:
    return block("identity", type="UserAssigned", identity_ids=[at(Ref("identity", name, "id"))])


def _registry(identity: str) -> Block:
    return block(
        "registry", server=at(Ref("registry", "main", "address")), identity=at(Ref("identity", identity, "id"))
    )


def _image(name: str, version: str) -> Value:
    return Text((at(Ref("registry", "main", "address")), f"/{name}:{version}"))


def _secrets(one: Workload, context: Context) -> Iterator[Block]:
    for name in dict.fromkeys([*one.secrets.values(), *one.files.values()]):
        where = {"key_vault_secret_id": at(Ref("secret", name, "url")), "identity": at(Ref("identity", one.name, "id"))}
        yield block("secret", name=context.keys[name], **where)


def _ingress(one: Workload) -> Iterator[Block]:
    if not one.reached:
        return
    said: dict[str, Value] = {
        "external_enabled": one.exposed,
        "target_port": one.port,
        "transport": "auto",
        "allow_insecure_connections": True,
    }
    everything = block("traffic_weight", latest_revision=True, percentage=100)
    why = "Reached from inside the network alone; what calls by plain HTTP is encrypted between the replicas."
    yield Block(kind="ingress", body=items(said, everything), notes=(why,))


def _beside(one: Workload, context: Context) -> Iterator[Block]:
    """Write Dapr, which asks an app for others only where somebody may call it at all."""
    if one.dapr:
        asked: dict[str, Value] = {"app_port": one.port, "app_protocol": "http"} if one.reached else {}
        yield block("dapr", app_id=called(context.scope, "workload", one.name), **asked)


def _template(one: Workload) -> Block:
    said: dict[str, Value] = {
        "min_replicas": one.least,
        "max_replicas": one.most,
        "termination_grace_period_seconds": one.grace,
    }
    rules = [
        block(
            "custom_scale_rule", name=rule.name, custom_rule_type=rule.kind,
            metadata={name: written(value) for name, value in rule.about.items()},
        )
        for rule in one.scalers
        if not rule.identified
    ]  # fmt: skip
    files = [block("volume", name="files", storage_type="Secret")] if one.files else []
    return Block(kind="template", body=items(said, _container(one), *files, *rules))


def _container(one: Workload) -> Block:
    said: dict[str, Value] = {
        "name": one.name,
        "image": _image(one.name, one.version),
        "command": ["python", "-m", "shoal.runtime"],
        "cpu": one.cpu / UNIT,
        "memory": f"{one.memory / 1024:g}Gi",
    }
    mounted = [block("volume_mounts", name="files", path=FILES)] if one.files else []
    return Block(kind="container", body=items(said, *_told(one.environment, one.secrets), *mounted, *_probes(one.port)))


def _told(environment: Mapping[str, Said], secrets: Mapping[str, str]) -> Iterator[Block]:
    for name, value in environment.items():
        yield block("env", name=name, value=written(value))
    for name, secret in secrets.items():
        yield block("env", name=name, secret_name=at(Ref("secret", secret, "name")))


def _probes(port: int) -> Iterator[Block]:
    for kind, path, more in (
        ("startup_probe", "/health", {"interval_seconds": 15, "failure_count_threshold": 10}),
        ("liveness_probe", "/health", {"interval_seconds": 15, "failure_count_threshold": 3}),
        ("readiness_probe", "/ready", {"interval_seconds": 5, "failure_count_threshold": 3}),
    ):
        yield block(kind, transport="HTTP", path=path, port=port, timeout=5, **more)
