"""Names within Azure's limits, by one law. Pure.

Source: "Naming rules and restrictions for Azure resources". What is named for the whole world (vaults, accounts,
registries, namespaces, servers, gateways) ends with a mark, so that two subscriptions can have the same system.
"""

import hashlib
import re

from shoal.deploy.cloud.naming import joined

APP, VAULT, ACCOUNT, REGISTRY, SERVER, NAMESPACE, GATEWAY, CACHE, MAIL = 32, 24, 24, 50, 63, 50, 50, 60, 63

_SUBSCRIPTION, _RULE = 50, 32
_ALLOWED = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?")
_APP = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?")


def mark(*parts: str) -> str:
    """Return five letters and digits that follow from names."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:5]


def fits(service: str) -> bool:
    """Tell whether a service can be a container app of its own name, by which others call it."""
    return len(service) <= APP and bool(_APP.fullmatch(service)) and "--" not in service


def app(service: str) -> str:
    """Name the container app of a service: by its own name, where Azure takes it."""
    return service if fits(service) else joined(service, limit=APP)


def secret(system: str, *parts: str) -> str:
    """Name a secret in the vault: as manifests of Kubernetes ask for it, too."""
    return "-".join((system, *parts)).replace("_", "-").lower()


def subscription(consumer: str) -> str:
    """Name the subscription of a consumer, as the driver does."""
    if len(consumer) <= _SUBSCRIPTION and _ALLOWED.fullmatch(consumer):
        return consumer
    return f"c-{hashlib.sha256(consumer.encode()).hexdigest()[: _SUBSCRIPTION - 2]}"


def rule(subject: str) -> str:
    """Name the rule that lets a subject through, as the driver does."""
    return f"s-{hashlib.sha256(subject.encode()).hexdigest()[:_RULE]}"


def topic(stream: str) -> str:
    """Spell a topic as metrics do, which know no capitals."""
    return stream.lower()
