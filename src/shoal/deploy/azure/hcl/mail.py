"""Communication Services, and the domain in whose name mail goes out."""

from collections.abc import Iterator

from shoal.deploy.azure.called import MANAGED, called
from shoal.deploy.azure.hcl.context import Context, notes
from shoal.deploy.azure.hcl.references import GROUP, at
from shoal.deploy.azure.resources import Mail
from shoal.deploy.cloud.hcl import resource
from shoal.deploy.cloud.values import Ref
from shoal.deploy.terraform.values import Block, Raw, Value, items

_TAGS = Raw("local.tags")
_DOMAIN = at(Ref("domain", "main", "id"))


def mail(one: Mail, context: Context) -> Iterator[Block]:
    """Write them: both regions ask those of the first, which are of no region."""
    if context.scope.passive:
        first = context.scope.origin()
        where: dict[str, Value] = {"name": called(first, "mail"), "resource_group_name": first.named(limit=90)}
        yield Block(kind="data", labels=("azurerm_communication_service", one.name), body=items(where))
        return
    yield from _domain(one, context)
    said: dict[str, Value] = {
        "name": called(context.scope, "mail"),
        "resource_group_name": GROUP,
        "data_location": one.data,
        "tags": _TAGS,
    }
    yield resource("azurerm_communication_service", one.name, *items(said), notes=notes(one, context))
    if one.sends:
        both: dict[str, Value] = {
            "communication_service_id": at(Ref("mail", one.name, "id")),
            "email_service_domain_id": _DOMAIN,
        }
        yield resource("azurerm_communication_service_email_domain_association", one.name, *items(both))


def _domain(one: Mail, context: Context) -> Iterator[Block]:
    service: dict[str, Value] = {
        "name": called(context.scope, "post"),
        "resource_group_name": GROUP,
        "data_location": one.data,
        "tags": _TAGS,
    }
    yield resource("azurerm_email_communication_service", one.name, *items(service))
    domain: dict[str, Value] = {
        "name": one.domain or MANAGED,
        "email_service_id": at(Ref("post", one.name, "id")),
        "domain_management": "CustomerManaged" if one.domain else "AzureManaged",
        "user_engagement_tracking_enabled": False,
        "tags": _TAGS,
    }
    yield resource("azurerm_email_communication_service_domain", one.name, *items(domain))
    if one.sends and one.sender:
        sender: dict[str, Value] = {"name": one.sender, "email_service_domain_id": _DOMAIN}
        yield resource("azurerm_email_communication_service_domain_sender_username", one.name, *items(sender))
