"""In which order objects come into a cluster: each wave when the one before it is healthy. Pure."""

from shoal.deploy import yaml
from shoal.deploy.yaml import Json

WAVE = "argocd.argoproj.io/sync-wave"

_NEEDED = ("ConfigMap", "SecretStore", "ExternalSecret", "ServiceAccount", "Role", "RoleBinding", "NetworkPolicy",
           "PeerAuthentication", "AuthorizationPolicy")  # fmt: skip

WAVES: tuple[tuple[int, Json, str], ...] = (
    (-2, {"labelSelector": "app.kubernetes.io/component=engine"}, "servers"),
    (1, {"kind": "HTTPRoute"}, "the door opens when there is somebody behind it"),
    (2, {"kind": "PersistentVolumeClaim"}, "a disk may wait for its first pod: nothing waits for it"),
    (-4, {"kind": "|".join(_NEEDED)}, "what others need to start"),
    (-5, {"kind": "Namespace|PriorityClass"}, "where everything is, and what pods refer to"),
)
"""Wave, what is in it, and why. Where two mean an object the later row counts; what none means is in wave 0."""


def patches() -> list[Json]:
    """Write the waves as patches of Kustomize, and let Jobs run anew whenever something is deployed."""
    found = [_patch(target, {WAVE: str(wave)}) for wave, target, _ in WAVES]
    again = {
        "argocd.argoproj.io/hook": "Sync",
        "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
        WAVE: "-1",
    }
    return [*found, _patch({"kind": "Job"}, again)]


def _patch(target: Json, annotations: Json) -> Json:
    """Annotate whatever is meant; the kind and the name in a patch with a target mean nothing."""
    body = {"apiVersion": "v1", "kind": "Any", "metadata": {"name": "any", "annotations": annotations}}
    return {"target": target, "patch": yaml.document(body)}
