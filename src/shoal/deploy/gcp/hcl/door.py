"""The API Gateway: the same operations as a document that the gateway reads."""

from collections.abc import Iterator

from shoal.deploy.cloud.hcl import resource
from shoal.deploy.cloud.values import Ref
from shoal.deploy.gcp.hcl import balancer
from shoal.deploy.gcp.hcl.context import Context
from shoal.deploy.gcp.hcl.references import BETA, at
from shoal.deploy.gcp.resources import Door
from shoal.deploy.terraform.values import Block, Raw, Value, block, items

FILE = "api.yaml"


def door(one: Door, context: Context) -> Iterator[Block]:
    """Write the door."""
    yield from balancer.door(one, context) if one.kind == "balancer" else _gateway(one, context)


def _gateway(one: Door, context: Context) -> Iterator[Block]:
    name = context.scope.system
    yield resource(
        "google_api_gateway_api", "main", *items({"provider": BETA, "api_id": name}), notes=context.notes(one)
    )
    number = 'replace(file("${path.module}/' + FILE + '"), "PROJECT_NUMBER", data.google_project.own.number)'
    document = Block(
        kind="openapi_documents", body=(block("document", path=FILE, contents=Raw(f"base64encode({number})")),)
    )
    account = block("backend_config", google_service_account=at(Ref("account", "gateway", "email")))
    arguments: dict[str, Value] = {
        "provider": BETA, "api": Raw("google_api_gateway_api.main.api_id"), "api_config_id_prefix": f"{name}-"[:40],
    }  # fmt: skip
    first = block("lifecycle", create_before_destroy=True)
    body = items(arguments, document, Block(kind="gateway_config", body=(account,)), first)
    yield resource("google_api_gateway_api_config", "main", *body)
    gateway: dict[str, Value] = {
        "provider": BETA,
        "region": context.scope.environment.region,
        "gateway_id": name,
        "api_config": Raw("google_api_gateway_api_config.main.id"),
    }
    yield resource("google_api_gateway_gateway", "main", *items(gateway))
