"""Pods under the restricted profile of Pod Security Standards: what each container may not, and what it is promised."""

from collections.abc import Sequence

import msgspec

from shoal.deploy.kubernetes.naming import HTTP, PORT, USER, selector
from shoal.deploy.yaml import Json, Noted

READABLE = Noted(0o440, "0440: for the pod's group.")
"""Mode of files with secrets; JSON knows no octal numbers."""

STARTING = 300
"""Seconds that a service may take to start: it waits for its store, and migrates it."""


def security(user: int = USER) -> Json:
    """Say whom a pod runs as; the kernel's calls are those that containers need."""
    return {
        "runAsNonRoot": True,
        "runAsUser": user,
        "runAsGroup": user,
        "fsGroup": user,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def confined() -> Json:
    """Take from a container what it does not need: writing to its image, more rights, any capability."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def resources(cpu: str, memory: str) -> Json:
    """Promise CPU and memory; memory is also the limit."""
    return {
        "requests": {"cpu": cpu, "memory": memory},
        "limits": Noted({"memory": memory}, "No limit for CPU: it would slow a replica down while the node is idle."),
    }


def spread(system: str, name: str, component: str = "service") -> Json:
    """Keep replicas apart: over zones and nodes, as far as there are any."""
    match = {"labelSelector": {"matchLabels": selector(system, name, component)}}  # type: ignore[arg-type]
    return {
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                **match,
                "matchLabelKeys": Noted(
                    ["pod-template-hash"], "Counted for each version, or an update would lean to one side."
                ),
            }
        ]
        if component == "service"
        else [
            {
                "maxSkew": 1,
                "topologyKey": "topology.kubernetes.io/zone",
                "whenUnsatisfiable": "ScheduleAnyway",
                **match,
            }
        ],
        "affinity": {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 100, "podAffinityTerm": {**match, "topologyKey": "kubernetes.io/hostname"}}
                ]
            }
        },
    }


def probes() -> Json:
    """Ask what every service answers; only /ready looks at what the service depends on."""
    return {
        "startupProbe": Noted(
            {"httpGet": {"path": "/health", "port": HTTP}, "periodSeconds": 2, "failureThreshold": STARTING // 2},
            "The port opens when the store is migrated and everything is connected.",
        ),
        "readinessProbe": Noted(
            {
                "httpGet": {"path": "/ready", "port": HTTP},
                "periodSeconds": 5,
                "timeoutSeconds": 2,
                "failureThreshold": 2,
            },
            "Away from traffic while the store is away or the outbox is full.",
        ),
        "livenessProbe": Noted(
            {
                "httpGet": {"path": "/health", "port": HTTP},
                "periodSeconds": 10,
                "timeoutSeconds": 3,
                "failureThreshold": 3,
            },
            "Looks at nothing outside: a restart mends no database.",
        ),
    }


def port() -> Json:
    """Name the port of a service."""
    return {"name": HTTP, "containerPort": PORT, "protocol": "TCP"}


def scratch() -> tuple[Json, Json]:
    """Give a container a place to write that ends with it: the mount, and the volume."""
    return (
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a volume of its own
        {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "16Mi"}},
    )


def template(labels: Json, spec: Json, annotations: Json | None = None) -> Json:
    """Make the template of a pod."""
    return {"metadata": {"labels": labels, **({"annotations": annotations} if annotations else {})}, "spec": spec}


def base(account: str, *, user: int = USER, priority: str = "") -> Json:
    """Begin a pod's specification: who it is, and whom it runs as."""
    return {
        "serviceAccountName": account,
        "automountServiceAccountToken": Noted(value=False, why="It asks nothing of the cluster."),
        "enableServiceLinks": False,
        **({"priorityClassName": priority} if priority else {}),
        "securityContext": security(user),
    }


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A secret that containers have as files."""

    volume: str
    secret: str
    folder: str
    keys: tuple[str, ...] = ()
    """Those of its keys that are wanted; all when empty."""
    optional: bool = False
    """Whether the pod starts without it."""


def files(secrets: Sequence[Held]) -> tuple[list[Json], list[Json]]:
    """Mount secrets as files: the mounts, and the volumes."""
    mounts: list[Json] = []
    volumes: list[Json] = []
    for held in secrets:
        mounts.append({"name": held.volume, "mountPath": held.folder, "readOnly": True})
        source: Json = {"secretName": held.secret, "defaultMode": READABLE}
        if held.keys:
            source["items"] = [{"key": key, "path": key} for key in held.keys]
        if held.optional:
            source["optional"] = Noted(value=True, why="Where others run the server, it is not there.")
        volumes.append({"name": held.volume, "secret": source})
    return mounts, volumes
