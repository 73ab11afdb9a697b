"""API Management: the gateway, its one API, and what is done with each operation."""

import re
from collections.abc import Iterator

from shoal.deploy.azure.called import called
from shoal.deploy.azure.hcl.context import Context, notes
from shoal.deploy.azure.hcl.references import GROUP, HERE, at
from shoal.deploy.azure.network import EDGE
from shoal.deploy.azure.resources import Door, Operation
from shoal.deploy.cloud.hcl import label, resource
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.values import Block, Call, Raw, Text, Value, block, items

_WHERE: dict[str, Value] = {
    "api_management_name": Raw("azurerm_api_management.main.name"),
    "resource_group_name": GROUP,
}
_API: dict[str, Value] = {"api_name": Raw("azurerm_api_management_api.main.name"), **_WHERE}
_PARAMETER = re.compile(r"\{([^}]*)\}")


def door(one: Door, context: Context) -> Iterator[Block]:
    """Write the door."""
    yield _gateway(one, context)
    if one.host:
        yield _host(one)
    yield from _api(context)
    for service in one.services:
        yield _backend(service)
    for operation in one.operations:
        yield from _operation(operation)
    yield from _told()


def _gateway(one: Door, context: Context) -> Block:
    said: dict[str, Value] = {
        "name": called(context.scope, "door"),
        **HERE,
        "publisher_name": context.scope.system,
        "publisher_email": one.publisher,
        "sku_name": one.tier,
        "virtual_network_type": "External",
        "tags": Raw("local.tags"),
        "depends_on": [Raw(f"azurerm_subnet_network_security_group_association.{EDGE}")],
    }
    inside = block("virtual_network_configuration", subnet_id=at(Ref("subnet", EDGE, "id")))
    own = block("identity", type="SystemAssigned")
    return resource("azurerm_api_management", one.name, *items(said, own, inside), notes=notes(one, context))


def _host(one: Door) -> Block:
    why = "The gateway's own identity reads the certificate: let it, in the vault where that is."
    gateway = block("gateway", host_name=one.host, key_vault_certificate_id=one.certificate, default_ssl_binding=True)
    said: dict[str, Value] = {"api_management_id": at(Ref("door", "main", "id"))}
    return resource("azurerm_api_management_custom_domain", "main", *items(said, gateway), notes=(why,))


def _api(context: Context) -> Iterator[Block]:
    system = context.scope.system
    api: dict[str, Value] = {
        "name": system,
        **_WHERE,
        "revision": "1",
        "display_name": system,
        "path": "",
        "protocols": ["https"],
        "subscription_required": False,
    }
    yield resource("azurerm_api_management_api", "main", *items(api))
    document = Call("file", (Text((Raw("path.module"), "/policies/all.xml")),))
    yield resource("azurerm_api_management_api_policy", "main", *items({**_API, "xml_content": document}))
    product: dict[str, Value] = {
        "product_id": system,
        **_WHERE,
        "display_name": system,
        "description": f"Everything that {system} shows to clients.",
        "subscription_required": False,
        "published": True,
    }
    yield resource("azurerm_api_management_product", "main", *items(product))
    offered: dict[str, Value] = {"product_id": Raw("azurerm_api_management_product.main.product_id"), **_API}
    yield resource("azurerm_api_management_product_api", "main", *items(offered))


def _backend(service: str) -> Block:
    said: dict[str, Value] = {
        "name": service,
        **_WHERE,
        "protocol": "http",
        "url": Text(("https://", at(Ref("workload", service, "host")))),
    }
    tls = block("tls", validate_certificate_chain=True, validate_certificate_name=True)
    return resource("azurerm_api_management_backend", service, *items(said, tls))


def _operation(one: Operation) -> Iterator[Block]:
    said: dict[str, Value] = {
        "operation_id": one.name,
        **_API,
        "display_name": one.summary[:300],
        "method": one.method,
        "url_template": one.path,
    }
    parameters = [
        block("template_parameter", name=name, required=True, type="string") for name in _PARAMETER.findall(one.path)
    ]
    yield resource("azurerm_api_management_api_operation", one.name, *items(said, *parameters))
    policy: dict[str, Value] = {
        "operation_id": Raw(f"azurerm_api_management_api_operation.{label(one.name)}.operation_id"),
        **_API,
        "xml_content": Call("file", (Text((Raw("path.module"), f"/policies/{one.name}.xml")),)),
        "depends_on": [Raw(f"azurerm_api_management_backend.{label(one.service)}")],
    }
    yield resource("azurerm_api_management_api_operation_policy", one.name, *items(policy))


def _told() -> Iterator[Block]:
    """Write what is noted of each request; never a query or a header, which may hold secrets."""
    logger: dict[str, Value] = {
        "name": "insights",
        **_WHERE,
        "resource_id": Raw("azurerm_application_insights.main.id"),
    }
    connection = block(
        "application_insights", connection_string=Raw("azurerm_application_insights.main.connection_string")
    )
    yield resource("azurerm_api_management_logger", "main", *items(logger, connection))
    said: dict[str, Value] = {
        "identifier": "applicationinsights",
        **_WHERE,
        "api_management_logger_id": Raw("azurerm_api_management_logger.main.id"),
        "sampling_percentage": 100,
        "always_log_errors": True,
        "log_client_ip": False,
        "http_correlation_protocol": "W3C",
        "verbosity": "information",
    }
    yield resource("azurerm_api_management_diagnostic", "main", *items(said))
