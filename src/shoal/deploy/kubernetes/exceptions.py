"""What a usual reviewer of manifests, Checkov, would have otherwise, and why it is as it is."""

from collections.abc import Iterator

from shoal.deploy import yaml
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.sheet import Made, Text
from shoal.deploy.yaml import Json, Noted

FILE = "checkov.yaml"

EXCEPTIONS = {
    "CKV_K8S_11": "CPU has no limit: it would slow a replica down while the node is idle. Memory has one.",
    "CKV_K8S_15": (
        "Images are not pulled always: a version never changes, since a tag is used once or a digest takes its "
        "place, and a pod starts while the registry is away."
    ),
    "CKV_K8S_35": (
        "Addresses with passwords are variables, as every service reads them on a laptop, too; keys that sign tokens "
        "are files. A pod shows its variables only to who may run commands in it, and so may read its files."
    ),
    "CKV_K8S_40": "MongoDB and OpenSearch run as the users of their images, 999 and 1000. All others are above 10000.",
    "CKV_K8S_43": (
        "Images of services get their digests with each deployment (releases/NAME), or by [digests] of the "
        "environment. Those of engines are named by version, so that a reader sees which it is."
    ),
    "CKV_DOCKER_2": "Kubernetes and Compose ask for health by themselves, each by its own interval.",
}
"""Rules that do not hold, by Checkov's names, with the reason of each."""


def make(scope: Scope) -> Iterator[Made]:
    """Make the configuration, which a pipeline gives to Checkov."""
    build = f"kubectl kustomize overlays/{scope.environments[-1].name} > built.yaml"
    head = (
        "Written by `shoal deploy kubernetes`. What Checkov would have otherwise, and why it is as it is:",
        f"{build} && checkov --file built.yaml --config-file {FILE}",
    )
    body: Json = {
        "framework": ["kubernetes", "dockerfile"],
        "skip-check": [Noted(rule, why) for rule, why in EXCEPTIONS.items()],
    }
    yield Text(path=FILE, text=yaml.document(body, head=head))
