"""Databases, caches, objects; topics, subscriptions and their rules."""

from shoal.deploy.azure import naming
from shoal.deploy.azure.bicep.context import TAGGED, Context, Declared
from shoal.deploy.azure.bicep.references import symbol
from shoal.deploy.azure.hcl.messages import duration
from shoal.deploy.azure.hcl.stores import POSTGRES
from shoal.deploy.azure.resources import Account, Bus, Cache, Postgres, Subscription, Topic, Zone
from shoal.deploy.bicep.values import Raw, Resource, Value
from shoal.deploy.cloud.values import Ref

_SERVER = "Microsoft.DBforPostgreSQL/flexibleServers"
_RULE = "Microsoft.ServiceBus/namespaces/topics/subscriptions/rules@2024-01-01"
_TIERS = {"B": "Burstable", "GP": "GeneralPurpose", "MO": "MemoryOptimized"}


def postgres(one: Postgres, context: Context) -> Declared:
    """Write a server and its database; it has no address outside."""
    tier, _, size = one.size.partition("_")
    domain = next(str(zone.domain) for zone in context.whole.all(Zone) if zone.name == "postgres")
    asked = context.references
    body: dict[str, Value] = {
        "version": POSTGRES,
        "administratorLogin": one.role,
        "administratorLoginPassword": asked.at(Ref("password", f"{one.name}-postgres", "result")),
        "storage": {"storageSizeGB": one.storage, "autoGrow": "Enabled"},
        "backup": {
            "backupRetentionDays": one.keep,
            "geoRedundantBackup": "Enabled" if one.far else "Disabled",
        },
        "highAvailability": {"mode": "ZoneRedundant" if one.copies > 1 else "Disabled"},
        "network": {
            "delegatedSubnetResourceId": asked.at(Ref("subnet", "data", "id")),
            "privateDnsZoneArmResourceId": Raw(f"resourceId('Microsoft.Network/privateDnsZones', '{domain}')"),
            "publicNetworkAccess": "Disabled",
        },
    }
    sku: Value = {"name": size, "tier": _TIERS.get(tier, tier)}
    yield context.made("postgres", one, {**TAGGED, "sku": sku, "properties": body})
    own = symbol("postgres", one.name)
    text: Value = {"charset": "UTF8", "collation": "en_US.utf8"}
    database: dict[str, Value] = {"parent": Raw(own), "name": one.database, "properties": text}
    yield Resource(symbol=f"{own}_database", kind=f"{_SERVER}/databases@2024-08-01", body=database)
    if one.extensions:
        allowed: Value = {"value": ",".join(one.extensions), "source": "user-override"}
        setting: dict[str, Value] = {"parent": Raw(own), "name": "azure.extensions", "properties": allowed}
        yield Resource(symbol=f"{own}_extensions", kind=f"{_SERVER}/configurations@2024-08-01", body=setting)


def cache(one: Cache, context: Context) -> Declared:
    """Write a Managed Redis; only its owner knows its key."""
    body: dict[str, Value] = {
        "highAvailability": "Enabled" if one.copies > 1 else "Disabled",
        "minimumTlsVersion": "1.2",
        "publicNetworkAccess": "Disabled",
    }
    yield context.made("cache", one, {**TAGGED, "sku": {"name": one.size}, "properties": body})
    database: dict[str, Value] = {
        "clientProtocol": "Encrypted",
        "clusteringPolicy": "NoCluster",
        "evictionPolicy": "VolatileLRU",
        "accessKeysAuthentication": "Enabled",
        "port": 10000,
    }
    yield context.part("redis", one.name, {"properties": database})


def account(one: Account, context: Context) -> Declared:
    """Write an account and its container; identities alone get in, and who was lent an address."""
    body: dict[str, Value] = {
        "minimumTlsVersion": "TLS1_2",
        "supportsHttpsTrafficOnly": True,
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "isLocalUserEnabled": False,
        "encryption": {"keySource": "Microsoft.Storage", "requireInfrastructureEncryption": True},
    }
    sku: Value = {"name": f"Standard_{one.copies}"}
    yield context.made("account", one, {**TAGGED, "sku": sku, "kind": "StorageV2", "properties": body})
    kept: Value = {"enabled": True, "days": one.keep}
    cors: Value = [
        {
            "allowedOrigins": [*one.origins],
            "allowedMethods": ["GET", "HEAD", "PUT"],
            "allowedHeaders": ["content-type", "if-none-match", "x-ms-blob-type"],
            "exposedHeaders": ["etag"],
            "maxAgeInSeconds": 3600,
        }
    ]
    settings: dict[str, Value] = {"deleteRetentionPolicy": kept, "containerDeleteRetentionPolicy": kept}
    if one.origins:
        settings["cors"] = {"corsRules": cors}
    yield context.part("objects", one.name, {"properties": settings})
    yield context.part("container", one.name, {"properties": {"publicAccess": "None"}})


def bus(one: Bus, context: Context) -> Declared:
    """Write the namespace; there are no keys of it."""
    premium = one.tier == "Premium"
    body: dict[str, Value] = {
        "disableLocalAuth": True,
        "minimumTlsVersion": "1.2",
        "publicNetworkAccess": "Disabled" if premium else "Enabled",
        **({"premiumMessagingPartitions": 1} if premium else {}),
    }
    sku: Value = {"name": one.tier, "tier": one.tier, **({"capacity": 1} if premium else {})}
    yield context.made("bus", one, {**TAGGED, "sku": sku, "properties": body})


def topic(one: Topic, context: Context) -> Declared:
    """Write a topic."""
    kept: dict[str, Value] = {"defaultMessageTimeToLive": duration(one.seconds)} if one.seconds else {}
    yield context.made("topic", one, {"properties": {"supportOrdering": True, **kept}})


def subscription(one: Subscription, context: Context) -> Declared:
    """Write a subscription and its rules."""
    body: dict[str, Value] = {
        "requiresSession": True,
        "lockDuration": duration(one.lock),
        "maxDeliveryCount": one.deliveries,
        **({"defaultMessageTimeToLive": duration(one.seconds)} if one.seconds else {}),
    }
    yield context.made("subscription", one, {"properties": body})
    own = symbol("subscription", one.name)
    if one.subjects:
        yield _closed(own)
    for subject in one.subjects:
        name = naming.rule(subject)
        through: Value = {"filterType": "CorrelationFilter", "correlationFilter": {"label": subject}}
        yield Resource(
            symbol=f"{own}_{name[2:14]}",
            kind=_RULE,
            body={"parent": Raw(own), "name": name, "properties": through},
        )


def _closed(subscription: str) -> Resource:
    """Let nothing through but by rules; the operator's job takes this one away, and writing it again is harmless."""
    nothing: Value = {"filterType": "SqlFilter", "sqlFilter": {"sqlExpression": "1=0"}}
    return Resource(
        symbol=f"{subscription}_default",
        kind=_RULE,
        body={"parent": Raw(subscription), "name": "$Default", "properties": nothing},
        notes=("Azure makes a rule of this name that lets everything through.",),
    )
