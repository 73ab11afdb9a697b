"""API Management: the gateway, its one API, and what is done with each operation."""

import re

from shoal.deploy.azure.bicep.context import TAGGED, Context, Declared
from shoal.deploy.azure.bicep.references import symbol
from shoal.deploy.azure.network import EDGE
from shoal.deploy.azure.resources import Door, Operation
from shoal.deploy.bicep.values import Raw, Resource, Text, Value
from shoal.deploy.cloud.values import Ref

_KIND, _VERSION = "Microsoft.ApiManagement/service", "2024-05-01"
_PARAMETER = re.compile(r"\{([^}]*)\}")
_DOOR, _API = Raw(symbol("door")), Raw("api")


def door(one: Door, context: Context) -> Declared:
    """Write the door."""
    tier, _, units = one.tier.partition("_")
    names: Value = [
        {
            "type": "Proxy", "hostName": one.host, "keyVaultId": one.certificate, "defaultSslBinding": True,
            "certificateSource": "KeyVault",
        }
    ]  # fmt: skip
    body: dict[str, Value] = {
        "publisherName": context.scope.system,
        "publisherEmail": one.publisher,
        "virtualNetworkType": "External",
        "virtualNetworkConfiguration": {"subnetResourceId": context.references.at(Ref("subnet", EDGE, "id"))},
        **({"hostnameConfigurations": names} if one.host else {}),
    }
    sku: Value = {"name": tier, "capacity": int(units)}
    who: Value = {"type": "SystemAssigned"}
    yield context.made("door", one, {**TAGGED, "sku": sku, "identity": who, "properties": body})
    yield from _api(context.scope.system)
    for service in one.services:
        yield _backend(service, context)
    for operation in one.operations:
        yield from _operation(operation)
    yield from _told(context)


def _part(name: str, kind: str, parent: Raw, called: str, body: Value, **more: Value) -> Resource:
    whole: dict[str, Value] = {"parent": parent, "name": called, "properties": body, **more}
    return Resource(symbol=name, kind=f"{_KIND}/{kind}@{_VERSION}", body=whole)


def _api(system: str) -> Declared:
    api: Value = {"displayName": system, "path": "", "protocols": ["https"], "subscriptionRequired": False}
    yield _part("api", "apis", _DOOR, system, api)
    yield _part("policy", "apis/policies", _API, "policy", _policy("all"))
    product: Value = {"displayName": system, "subscriptionRequired": False, "state": "published"}
    yield _part("product", "products", _DOOR, system, product)
    offered: dict[str, Value] = {"parent": Raw("product"), "name": system, "dependsOn": [_API]}
    yield Resource(symbol="offered", kind=f"{_KIND}/products/apis@{_VERSION}", body=offered)


def _policy(name: str) -> Value:
    return {"format": "xml", "value": Raw(f"loadTextContent('../policies/{name}.xml')")}


def _backend(service: str, context: Context) -> Resource:
    host = context.references.at(Ref("workload", service, "host"))
    body: Value = {
        "protocol": "http",
        "url": Text(("https://", host)),
        "tls": {"validateCertificateChain": True, "validateCertificateName": True},
    }
    return _part(symbol("backend", service), "backends", _DOOR, service, body)


def _operation(one: Operation) -> Declared:
    parameters: list[Value] = [
        {"name": name, "type": "string", "required": True} for name in _PARAMETER.findall(one.path)
    ]
    body: dict[str, Value] = {
        "displayName": one.summary[:300],
        "method": one.method,
        "urlTemplate": one.path,
        "templateParameters": parameters,
    }
    own = symbol("operation", one.name)
    yield _part(own, "apis/operations", _API, one.name, body)
    after: Value = [Raw(symbol("backend", one.service))]
    yield _part(f"{own}_policy", "apis/operations/policies", Raw(own), "policy", _policy(one.name), dependsOn=after)


def _told(context: Context) -> Declared:
    """Write what is noted of each request; never a query or a header, which may hold secrets."""
    insights = context.references.symbol("insights")
    credentials: Value = {"connectionString": Raw(f"{insights}.properties.ConnectionString")}
    logger: Value = {
        "loggerType": "applicationInsights", "resourceId": Raw(f"{insights}.id"), "credentials": credentials,
    }  # fmt: skip
    yield _part("logger", "loggers", _DOOR, "insights", logger)
    said: Value = {
        "loggerId": Raw("logger.id"),
        "alwaysLog": "allErrors",
        "logClientIp": False,
        "httpCorrelationProtocol": "W3C",
        "verbosity": "information",
        "sampling": {"samplingType": "fixed", "percentage": 100},
    }
    yield _part("diagnostic", "diagnostics", _DOOR, "applicationinsights", said)
