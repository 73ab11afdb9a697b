"""ExternalSecrets: what is read from the environment's store of secrets into a Secret of the cluster."""

from shoal.deploy.kubernetes.naming import labels, secret
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.yaml import Json

REFRESH = "1h"
"""How often values are read again; a service reads them when it starts."""


def external(
    scope: Scope, environment: Environment, name: str, values: dict[str, str], *, template: Json | None = None
) -> Json:
    """Make an ExternalSecret.

    Args:
        scope: What is compiled.
        environment: Whose.
        name: Of the Secret that it makes.
        values: Keys, and what each is called where it is kept.
        template: What the Secret is to be, where that is not just the values.
    """
    prefix = environment.secrets.prefix or scope.system
    within = {"property": "value"} if environment.secrets.store == "vault" else {}  # it keeps pairs, the others texts
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": name, "labels": labels(scope.system, name, "system")},
        "spec": {
            "refreshInterval": REFRESH,
            "secretStoreRef": {"kind": "SecretStore", "name": scope.system},
            "target": {
                "name": name,
                "creationPolicy": "Owner",
                **({"template": {"engineVersion": "v2", "mergePolicy": "Replace", **template}} if template else {}),
            },
            "data": [
                {"secretKey": key, "remoteRef": {"key": secret(prefix, kept), **within}}
                for key, kept in sorted(values.items())
            ],
        },
    }
