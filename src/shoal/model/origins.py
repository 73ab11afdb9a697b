"""Whose pages may open WebSockets: browsers ask nobody before they do (RFC 6455, 10.2)."""

from shoal.model.cors import ANY
from shoal.model.plan import Plan

_USUAL = {"http": 80, "https": 443}
_HERE = ("localhost", "127.0.0.1", "[::1]")


def origins(plan: Plan) -> tuple[str, ...] | None:
    """List the origins: the gateway's own and those that its CORS names; None is every origin."""
    cors = plan.system.gateway.cors
    named = () if cors is None else cors.origins
    return None if ANY in named else tuple(dict.fromkeys((*_own(plan), *named)))


def _own(plan: Plan) -> list[str]:
    scheme, names = ("http", _HERE) if plan.tls is None else ("https", plan.tls.names)
    port = "" if plan.port == _USUAL[scheme] else f":{plan.port}"
    return [f"{scheme}://{f'[{name}]' if ':' in name and name[0] != '[' else name}{port}" for name in names]
