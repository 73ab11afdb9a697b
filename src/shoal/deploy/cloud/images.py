"""How images are built for a cloud: the Dockerfiles of Kubernetes, with the clients of the engines that are there."""

from collections.abc import Iterator

from shoal.deploy.cloud.system import Planned
from shoal.deploy.kubernetes import images
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.settings import Environment, Secrets
from shoal.deploy.kubernetes.sheet import Text
from shoal.model.artifact import Artifact


def written(planned: Planned, *, secrets: Secrets | None = None) -> Iterator[Artifact]:
    """Write a Dockerfile and what it needs of Shoal for each service, the same for all environments.

    Args:
        planned: The system.
        secrets: Whose keys of personal data a service asks for, where that takes a client.
    """
    scope = Scope(plan=planned.plan, environments=(Environment(name="any", secrets=secrets or Secrets()),))
    for one in images.make(scope):
        if isinstance(one, Text) and not one.path.endswith("compose.yaml"):
            yield Artifact(path=one.path, text=one.text)
