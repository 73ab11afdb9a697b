"""Logs, images, container apps and the operator's job."""

from collections.abc import Mapping

from shoal.deploy.azure.addresses import FILES
from shoal.deploy.azure.bicep.context import TAGGED, Context, Declared
from shoal.deploy.azure.resources import Logs, Operator, Place, Registry, Scaler, Workload
from shoal.deploy.bicep.values import Keyed, Noted, Raw, Text, Value
from shoal.deploy.cloud.settings import UNIT
from shoal.deploy.cloud.values import Ref
from shoal.deploy.cloud.values import Value as Said

_PROFILE = "Consumption"


def logs(one: Logs, context: Context) -> Declared:
    """Write where lines of logs are kept, and traces beside them."""
    body: dict[str, Value] = {"sku": {"name": "PerGB2018"}, "retentionInDays": one.days}
    yield context.made("logs", one, {**TAGGED, "properties": body})
    workspace = context.references.at(Ref("logs", "main", "id"))
    insights: dict[str, Value] = {"Application_Type": "other", "WorkspaceResourceId": workspace}
    yield context.part("insights", "main", {**TAGGED, "kind": "web", "properties": insights})


def registry(one: Registry, context: Context) -> Declared:
    """Write where images are; there is no password."""
    rules: list[Value] = [{"action": "Allow", "value": address} for address in one.operators]
    inside: dict[str, Value] = {
        "zoneRedundancy": "Enabled",
        "publicNetworkAccess": "Enabled" if one.operators else "Disabled",
        **({"networkRuleSet": {"defaultAction": "Deny", "ipRules": rules}} if one.operators else {}),
    }
    body: dict[str, Value] = {"adminUserEnabled": False, **(inside if one.tier == "Premium" else {})}
    yield context.made("registry", one, {**TAGGED, "sku": {"name": one.tier}, "properties": body})


def place(one: Place, context: Context) -> Declared:
    """Write where apps run: inside, over zones, with calls among them encrypted."""
    workspace = context.references.symbol("logs")
    body: dict[str, Value] = {
        "vnetConfiguration": {
            "internal": True,
            "infrastructureSubnetId": context.references.at(Ref("subnet", "apps", "id")),
        },
        "zoneRedundant": one.redundant,
        "peerTrafficConfiguration": {"encryption": {"enabled": True}},
        "appLogsConfiguration": {
            "destination": "log-analytics",
            "logAnalyticsConfiguration": {
                "customerId": Raw(f"{workspace}.properties.customerId"),
                "sharedKey": Raw(f"{workspace}.listKeys().primarySharedKey"),
            },
        },
        "workloadProfiles": [{"name": _PROFILE, "workloadProfileType": _PROFILE}],
    }
    yield context.made("place", one, {**TAGGED, "properties": body})


def workload(one: Workload, context: Context) -> Declared:
    """Write the app of a service, how many replicas there are, and what they follow."""
    configuration: dict[str, Value] = {
        "activeRevisionsMode": "Single",
        "registries": [_registry(one.name, context)],
        "secrets": _secrets(one, context),
        **({"ingress": _ingress(one)} if one.reached else {}),
        **({"dapr": _beside(one, context)} if one.dapr else {}),
    }
    scale: dict[str, Value] = {
        "minReplicas": one.least,
        "maxReplicas": one.most,
        "rules": [_follows(rule, one.name, context) for rule in one.scalers],
    }
    template: dict[str, Value] = {
        "terminationGracePeriodSeconds": one.grace,
        "containers": [_container(one, context)],
        **({"volumes": [_files(one, context)]} if one.files else {}),
        "scale": scale,
    }
    body: dict[str, Value] = {
        "environmentId": context.references.at(Ref("place", "main", "id")),
        "workloadProfileName": _PROFILE,
        "configuration": configuration,
        "template": template,
    }
    who = _identified(one.name, context)
    yield context.made("workload", one, {**TAGGED, "identity": who, "properties": body, **_after(one.name, context)})


def operator(one: Operator, context: Context) -> Declared:
    """Write the job that declares streams."""
    container: dict[str, Value] = {
        "name": one.name,
        "image": _image(one.image, one.version, context),
        "command": ["python", "-m", "shoal.runtime.declaring"],
        "env": _told(one.environment, {}, context),
        "resources": {"cpu": 0.25, "memory": "0.5Gi"},
    }
    body: dict[str, Value] = {
        "environmentId": context.references.at(Ref("place", "main", "id")),
        "workloadProfileName": _PROFILE,
        "configuration": {
            "triggerType": "Manual",
            "replicaTimeout": 600,
            "replicaRetryLimit": 1,
            "manualTriggerConfig": {"parallelism": 1, "replicaCompletionCount": 1},
            "registries": [_registry(one.name, context)],
        },
        "template": {"containers": [container]},
    }
    who = _identified(one.name, context)
    yield context.made("job", one, {**TAGGED, "identity": who, "properties": body, **_after(one.name, context)})


def _identified(name: str, context: Context) -> Value:
    own = context.references.symbol("identity", name)
    return {"type": "UserAssigned", "userAssignedIdentities": Keyed(Raw(f"{own}.id"), {})}


def _after(identity: str, context: Context) -> dict[str, Value]:
    """Wait for the rights without which an image or a secret could not be read."""
    return {"dependsOn": [Raw(one) for one in context.rights(identity)]}


def _registry(identity: str, context: Context) -> Value:
    return {
        "server": context.references.at(Ref("registry", "main", "address")),
        "identity": context.references.at(Ref("identity", identity, "id")),
    }


def _image(name: str, version: str, context: Context) -> Value:
    return Text((context.references.at(Ref("registry", "main", "address")), f"/{name}:{version}"))


def _secrets(one: Workload, context: Context) -> Value:
    keys, asked = context.whole.keys, context.references
    return [
        {
            "name": keys[name],
            "keyVaultUrl": asked.at(Ref("secret", name, "url")),
            "identity": asked.at(Ref("identity", one.name, "id")),
        }
        for name in dict.fromkeys([*one.secrets.values(), *one.files.values()])
    ]


def _files(one: Workload, context: Context) -> Value:
    keys = context.whole.keys
    held: list[Value] = [{"secretRef": keys[name], "path": keys[name]} for name in one.files.values()]
    return {"name": "files", "storageType": "Secret", "secrets": held}


def _ingress(one: Workload) -> Value:
    why = "What calls by plain HTTP is encrypted between the replicas."
    return {
        "external": one.exposed,
        "targetPort": one.port,
        "transport": "auto",
        "allowInsecure": Noted(value=True, why=why),
        "traffic": [{"latestRevision": True, "weight": 100}],
    }


def _beside(one: Workload, context: Context) -> Value:
    """Write Dapr, which asks an app for others only where somebody may call it at all."""
    asked: dict[str, Value] = {"appPort": one.port, "appProtocol": "http"} if one.reached else {}
    return {"enabled": True, "appId": context.references.called("workload", one.name), **asked}


def _follows(rule: Scaler, identity: str, context: Context) -> Value:
    about: dict[str, Value] = {name: context.references.written(value) for name, value in rule.about.items()}
    who: dict[str, Value] = (
        {"identity": context.references.at(Ref("identity", identity, "id"))} if rule.identified else {}
    )
    return {"name": rule.name, "custom": {"type": rule.kind, "metadata": about, **who}}


def _container(one: Workload, context: Context) -> Value:
    return {
        "name": one.name,
        "image": _image(one.name, one.version, context),
        "command": ["python", "-m", "shoal.runtime"],
        "env": _told(one.environment, one.secrets, context),
        "resources": {"cpu": one.cpu / UNIT, "memory": f"{one.memory / 1024:g}Gi"},
        **({"volumeMounts": [{"volumeName": "files", "mountPath": FILES}]} if one.files else {}),
        "probes": [
            _probe("Startup", "/health", one.port, periodSeconds=15, failureThreshold=10),
            _probe("Liveness", "/health", one.port, periodSeconds=15, failureThreshold=3),
            _probe("Readiness", "/ready", one.port, periodSeconds=5, failureThreshold=3),
        ],
    }


def _probe(kind: str, path: str, port: int, **more: int) -> Value:
    return {"type": kind, "httpGet": {"path": path, "port": port}, "timeoutSeconds": 5, **more}


def _told(environment: Mapping[str, Said], secrets: Mapping[str, str], context: Context) -> Value:
    keys = context.whole.keys
    plain: list[Value] = [
        {"name": name, "value": context.references.written(value)} for name, value in environment.items()
    ]
    return [*plain, *({"name": name, "secretRef": keys[secret]} for name, secret in secrets.items())]
