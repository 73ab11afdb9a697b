"""What every answer of the edge tells a browser: by its host where it was routed, by its refusals everywhere else."""

from shoal.mesh.feature import Feature
from shoal.mesh.manager import Scope
from shoal.mesh.proto import Json
from shoal.model.plan import Plan

LOCAL_HSTS = 300
"""Most seconds for which a browser may insist on TLS for names of this machine: other programs serve them as well."""


def headers(plan: Plan) -> list[Json]:
    """Write the headers that an answer gets unless it has them already."""
    wanted, tls = plan.system.gateway.headers, plan.tls
    age = 0 if tls is None else min(wanted.transport_security, LOCAL_HSTS if tls.local else wanted.transport_security)
    values = {
        "x-content-type-options": wanted.content_type_options,
        "referrer-policy": wanted.referrer_policy,
        "content-security-policy": wanted.content_security_policy,
        "x-frame-options": wanted.frame_options,
        "strict-transport-security": f"max-age={age}" if age else "",
    }
    return [
        {"header": {"key": name, "value": value}, "append_action": "ADD_IF_ABSENT"}
        for name, value in values.items()
        if value
    ]


def _host(scope: Scope) -> Json:
    found = headers(scope.plan)
    return {"response_headers_to_add": found} if found else {}


FEATURE = Feature(edge_host=_host)
