"""What each resource is called on Azure, whichever language says it. Pure."""

from shoal.deploy.azure import naming
from shoal.deploy.azure.scope import Scope

MANAGED = "AzureManagedDomain"
"""What Azure's own domain of e-mail has to be called."""


def called(scope: Scope, kind: str, name: str = "main") -> str:
    """Name a resource by its kind and its name here."""
    shared = {"vault": naming.VAULT, "bus": naming.NAMESPACE, "door": naming.GATEWAY}
    shared |= {"mail": naming.MAIL, "post": naming.MAIL}
    mine = {"postgres": naming.SERVER, "cache": naming.CACHE}
    within = {"job": naming.APP, "identity": 128, "alarm": 200, "wall": 63, "endpoint": 63}
    if kind == "domain":
        mail = scope.environment.mail
        found = (mail.domain if mail is not None else "") or MANAGED
    elif kind in shared:
        found = scope.worldly(limit=shared[kind])
    elif kind == "grade":
        found = scope.worldly(name, limit=512)
    elif kind in mine:
        found = scope.worldly(name, limit=mine[kind])
    elif kind in within:
        found = scope.named(name, limit=within[kind])
    elif kind in ("account", "registry"):
        own = (name,) if kind == "account" else ()
        found = scope.lettered(*own, limit=naming.ACCOUNT if own else naming.REGISTRY)
    elif kind == "workload":
        found = naming.app(name)
    else:
        found = scope.named(limit=naming.APP) if kind == "place" else scope.named()
    return found
