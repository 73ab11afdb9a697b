"""Communication Services, and the domain in whose name mail goes out."""

from shoal.deploy.azure.bicep.context import TAGS, Context, Declared
from shoal.deploy.azure.bicep.references import symbol
from shoal.deploy.azure.resources import Mail
from shoal.deploy.bicep.values import Raw, Resource, Value

_EVERYWHERE: dict[str, Value] = {"location": "global", "tags": TAGS}
"""They are of no region."""


def mail(one: Mail, context: Context) -> Declared:
    """Write them."""
    yield context.part("post", one.name, {**_EVERYWHERE, "properties": {"dataLocation": one.data}})
    kind = "CustomerManaged" if one.domain else "AzureManaged"
    domain: dict[str, Value] = {"domainManagement": kind, "userEngagementTracking": "Disabled"}
    yield context.part("domain", one.name, {**_EVERYWHERE, "properties": domain})
    linked: list[Value] = [Raw(f"{symbol('domain')}.id")] if one.sends else []
    service: dict[str, Value] = {"dataLocation": one.data, "linkedDomains": linked}
    yield context.made("mail", one, {**_EVERYWHERE, "properties": service})
    if one.sends and one.sender:
        body: dict[str, Value] = {
            "parent": Raw(symbol("domain")),
            "name": one.sender,
            "properties": {"username": one.sender},
        }
        of = "Microsoft.Communication/emailServices/domains/senderUsernames@2023-04-01"
        yield Resource(symbol="sender_main", kind=of, body=body)
