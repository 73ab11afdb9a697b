"""What the compiler asks of a server that it can make in the cluster."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shoal.deploy.kubernetes.naming import selector
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment
from shoal.deploy.kubernetes.sheet import Made, Thing
from shoal.deploy.yaml import Json
from shoal.model.plan import ServicePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One kind of server."""

    name: str
    port: int
    """Where services reach it."""
    peers: tuple[int, ...]
    """Where its replicas reach each other."""
    make: Callable[[Scope], Iterator[Made]]
    """Makes what is the same everywhere, below ``engines/NAME``."""
    url: Callable[[Scope, ServicePlan, str], str]
    """Writes the address of a service's part of it, with ``{{ .NAME_password }}`` for the password."""
    secrets: Callable[[Scope, Environment], Iterator[Thing]]
    """Makes the secrets that the server itself has."""
    patches: Callable[[Scope, Environment], Iterator[Json]]
    """Makes what an environment changes."""
    extras: Callable[[Scope, Environment], Iterator[Thing]] = lambda _, __: iter(())
    """Makes what only some environments have."""
    jobs: tuple[str, ...] = ()
    """Names of Jobs that set it up, and so must reach it."""
    meshed: bool = True
    """Whether its pods are part of the mesh, which then encrypts what it says."""
    pods: Json = field(default_factory=dict)
    """Labels of its pods, where they are another's to choose."""

    def selector(self, system: str) -> Json:
        """Select its pods."""
        return self.pods or selector(system, self.name, "engine")


def disk(environment: Environment, name: str) -> Iterator[Json]:
    """Patch the size of the disks of a StatefulSet."""
    claim: Json = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            **({"storageClassName": environment.storage.kind} if environment.storage.kind else {}),
            "resources": {"requests": {"storage": environment.storage.size}},
        },
    }
    body = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": name}}
    yield {**body, "spec": {"volumeClaimTemplates": [claim]}}
