"""What a usual reviewer of manifests, Checkov, would have otherwise, and why it is as it is. Pure."""

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


def section(environment: str) -> str:
    """Write them down for the page of the folder, with the command that leaves them out."""
    rows = "\n".join(f"| `{rule}` | {why} |" for rule, why in EXCEPTIONS.items())
    return f"""\
## What Checkov would have otherwise

Checkov, a usual reviewer of manifests, finds nothing but this, which is meant:

| Rule | Why it is as it is |
|---|---|
{rows}

```sh
kubectl kustomize overlays/{environment} > built.yaml
checkov --framework kubernetes --file built.yaml --skip-check {",".join(EXCEPTIONS)}
```
"""
