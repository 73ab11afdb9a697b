"""The vault, keys, secrets, locks, identities and rights."""

from shoal.deploy.azure.bicep.context import TAGGED, TAGS, Context, Declared
from shoal.deploy.azure.bicep.references import symbol
from shoal.deploy.azure.called import called
from shoal.deploy.azure.hcl.secrets import UNKNOWN
from shoal.deploy.azure.resources import Grade, Identity, Key, Lock, Right, Secret, Vault
from shoal.deploy.bicep.values import Raw, Resource, Value
from shoal.deploy.cloud.values import Ref

ROLES = {
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "AcrPush": "8311e382-0749-4cb8-b61a-304f252e45ec",
    "Azure Service Bus Data Owner": "090c5cfd-751d-490a-894a-3ce6f1109419",
    "Azure Service Bus Data Receiver": "4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0",
    "Azure Service Bus Data Sender": "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39",
    "Communication and Email Service Owner": "09976791-48a7-449e-bb21-39d1a415f350",
    "Key Vault Administrator": "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    "Key Vault Crypto Service Encryption User": "e147488a-f6f5-4113-8e2d-b22465e65bf6",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Delegator": "db58b8e5-c6ad-4a2a-8342-4190687cbf4a",
}
"""Role → its identifier, the same in every tenant ("Azure built-in roles")."""

_TOKENS, _AUDIENCE = "https://token.actions.githubusercontent.com", "api://AzureADTokenExchange"


def vault(one: Vault, context: Context) -> Declared:
    """Write the vault: by rights alone, from inside and from where it is operated."""
    closed = one.protected or bool(one.operators)
    addresses: list[Value] = [{"value": text} for text in one.operators]
    body: dict[str, Value] = {
        "tenantId": Raw("tenant().tenantId"),
        "sku": {"family": "A", "name": "standard"},
        "enableRbacAuthorization": True,
        "enableSoftDelete": True,
        "softDeleteRetentionInDays": 90 if one.protected else 7,
        **({"enablePurgeProtection": True} if one.protected else {}),
        "publicNetworkAccess": "Enabled" if one.operators or not one.protected else "Disabled",
        "networkAcls": {
            "defaultAction": "Deny" if closed else "Allow",
            "bypass": "AzureServices",
            "ipRules": addresses,
        },
    }
    yield context.made("vault", one, {**TAGGED, "properties": body})


def key(one: Key, context: Context) -> Declared:
    """Write a key, which is turned every year."""
    action: Value = {"trigger": {"timeAfterCreate": "P365D"}, "action": {"type": "rotate"}}
    body: dict[str, Value] = {
        "kty": "RSA",
        "keySize": 3072,
        "keyOps": ["wrapKey", "unwrapKey"],
        "rotationPolicy": {"lifetimeActions": [action]},
    }
    yield context.made("key", one, {"tags": TAGS, "properties": body})


def secret(one: Secret, context: Context) -> Declared:
    """Write a secret; one that is filled in by hand is left alone once it is there."""
    text = UNKNOWN if one.text is None else context.references.written(one.text)
    body: dict[str, Value] = {"contentType": one.purpose[:255], "value": text}
    yield context.made("secret", one, {"tags": TAGS, "properties": body}, once=one.text is None)


def lock(one: Lock, context: Context) -> Declared:
    """Write a lock."""
    of = context.references.symbol(one.of.kind, one.of.name)
    body: dict[str, Value] = {"level": "CanNotDelete", "notes": "Holds data. Take the lock away first, on purpose."}
    named: dict[str, Value] = {"name": one.name, "scope": Raw(of), "properties": body}
    yield Resource(symbol=symbol("lock", one.name), kind="Microsoft.Authorization/locks@2020-05-01", body=named)


def identity(one: Identity, context: Context) -> Declared:
    """Write an identity, and whose tokens stand for it."""
    yield context.made("identity", one, TAGGED)
    if one.trusts == "pipelines":
        subject = f"repo:{one.repository}:environment:{context.scope.environment.name}"
        yield _trusted(one, _TOKENS, subject)
    elif one.account:
        issuer = context.references.at(Ref("cluster", "main", "issuer"))
        yield _trusted(one, issuer, f"system:serviceaccount:{one.account}")


def _trusted(one: Identity, issuer: Value, subject: str) -> Resource:
    body: dict[str, Value] = {"issuer": issuer, "subject": subject, "audiences": [_AUDIENCE]}
    own = symbol("identity", one.name)
    kind = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30"
    named: dict[str, Value] = {"parent": Raw(own), "name": one.name, "properties": body}
    return Resource(symbol=f"{own}_token", kind=kind, body=named)


def right(one: Right, context: Context) -> Declared:
    """Write what an identity may do; who applies writes secrets as the resource manager does, and needs none."""
    if not one.identity:
        return
    scope, who = (context.references.symbol(kind, name) for kind, name in _ends(one))
    role, known = _role(one.role)
    named: dict[str, Value] = {
        "name": Raw(f"guid({scope}.id, {who}.id, {known})"),
        "scope": Raw(scope),
        "properties": {
            "roleDefinitionId": Raw(role),
            "principalId": context.references.at(Ref("identity", one.identity, "principal")),
            "principalType": "ServicePrincipal",
        },
    }
    notes = (f"{one.role}. {one.why}".strip(),)
    kind = "Microsoft.Authorization/roleAssignments@2022-04-01"
    yield Resource(symbol=symbol("right", one.name), kind=kind, body=named, notes=notes)


def grade(one: Grade, context: Context) -> Declared:
    """Write a role of our own, which can be given within the group alone."""
    group = Raw("resourceGroup().id")
    body: dict[str, Value] = {
        "roleName": called(context.scope, "grade", one.name),
        "type": "CustomRole",
        "permissions": [{"actions": [*one.actions]}],
        "assignableScopes": [group],
    }
    named: dict[str, Value] = {"name": Raw(f"guid({group.text}, '{one.name}')"), "properties": body}
    kind = "Microsoft.Authorization/roleDefinitions@2022-04-01"
    yield Resource(symbol=symbol("grade", one.name), kind=kind, body=named)


def _role(name: str) -> tuple[str, str]:
    """Spell the id of a role, and what tells it from others."""
    if name not in ROLES:
        own = f"{symbol('grade', name)}.id"
        return own, own
    return f"subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{ROLES[name]}')", f"'{ROLES[name]}'"


def _ends(one: Right) -> tuple[tuple[str, str], tuple[str, str]]:
    return (one.scope.kind, one.scope.name), ("identity", one.identity)
