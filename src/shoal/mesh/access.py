"""Who may call what: RBAC policies from the declared calls; nothing else gets in."""

from shoal.mesh.filters import http_filter
from shoal.mesh.proto import Json, typed
from shoal.model.plan import Grant

_FILTER = "envoy.filters.http.rbac"
_PER_ROUTE = "envoy.extensions.filters.http.rbac.v3.RBACPerRoute"


def default_deny() -> Json:
    """Refuse everything that no route allows."""
    return http_filter(_FILTER, rules={"action": "ALLOW"})


def allow(grant: Grant) -> Json:
    """Admit exactly the callers of one operation; without callers, nobody.

    The policy hangs on the route and not on the listener: the same first match then decides both, and a
    grant for ``/orders/{id}`` cannot open ``/orders/summary``.
    """
    rules: Json = {"action": "ALLOW"}
    if grant.callers:
        principals = [{"authenticated": {"principal_name": {"exact": caller}}} for caller in grant.callers]
        rules["policies"] = {grant.endpoint: {"permissions": [{"any": True}], "principals": principals}}
    return {_FILTER: typed(_PER_ROUTE, rbac={"rules": rules})}
