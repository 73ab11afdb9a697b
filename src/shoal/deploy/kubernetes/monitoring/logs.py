"""Fluent Bit, once in a cluster: what engines and proxies print. Services send their records themselves."""

from collections.abc import Iterator

from shoal.deploy import yaml
from shoal.deploy.kubernetes.monitoring.wiring import NAMESPACE
from shoal.deploy.kubernetes.naming import meta, selector
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.sheet import Entry, Made, Sheet, Text, Thing
from shoal.deploy.yaml import Json, Noted

NAME = "fluent-bit"
IMAGE = "docker.io/fluent/fluent-bit:4.1.1"
FOLDER = "cluster"

_HEAD = "Written by `shoal deploy kubernetes`; applied once for a cluster: kubectl apply -k cluster."


def make(scope: Scope) -> Iterator[Made]:
    """Make the agent of each node."""
    yield Text(path=f"{FOLDER}/{NAME}.yaml", text=yaml.document(configuration(), head=(_HEAD,)))
    yield Entry(folder=FOLDER, field="namespace", value=NAMESPACE)
    generator = {"name": f"{NAME}-settings", "files": [f"{NAME}.yaml"]}
    yield Entry(folder=FOLDER, field="configMapGenerator", value=generator)
    about = meta(scope.system, NAME, "system")
    rights = {"apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": ["get", "list", "watch"]}
    role: Json = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": about}
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
    binding: Json = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": about,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME},
        "subjects": [subject],
    }
    things = (
        Thing(body={"apiVersion": "v1", "kind": "ServiceAccount", "metadata": about}),
        Thing(body={**role, "rules": [rights]}, why="It asks which pod a file belongs to, and nothing else."),
        Thing(body=binding),
        Thing(body=_daemons(scope)),
    )
    yield Sheet(path=f"{FOLDER}/daemonset.yaml", things=things)


def configuration() -> Json:
    """Configure the agent: files of containers, the pods that they belong to, and Loki."""
    return {
        "service": {"flush": 1, "log_level": "warn", "http_server": "on", "http_listen": "0.0.0.0", "http_port": 2020},  # noqa: S104 - in a pod
        "pipeline": {
            "inputs": [
                {
                    "name": "tail",
                    "tag": "kube.*",
                    "path": "/var/log/containers/*.log",
                    "exclude_path": "/var/log/containers/fluent-bit-*.log",
                    "multiline.parser": "cri",
                    "db": "/var/lib/fluent-bit/places.db",
                    "mem_buf_limit": "32MB",
                    "skip_long_lines": "on",
                }
            ],
            "filters": [
                {
                    "name": "kubernetes",
                    "match": "kube.*",
                    "merge_log": "on",
                    "keep_log": "off",
                    "k8s-logging.exclude": "on",
                    "labels": "on",
                    "annotations": "off",
                }
            ],
            "outputs": [_loki()],
        },
    }


def _loki() -> Json:
    return {
        "name": "loki",
        "match": "kube.*",
        "host": f"loki.{NAMESPACE}.svc",
        "port": 3100,
        "labels": "job=fluent-bit",
        "label_keys": "$kubernetes['namespace_name'],$kubernetes['container_name']",
        "line_format": "json",
        "retry_limit": "no_limits",
    }


def _container() -> Json:
    return {
        "name": NAME,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "args": ["--config=/etc/fluent-bit/fluent-bit.yaml"],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": Noted(
            {
                "runAsUser": 0,
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"], "add": ["DAC_READ_SEARCH"]},
            },
            "Files of containers belong to root; it may read them, and do nothing else.",
        ),
        "livenessProbe": {"httpGet": {"path": "/", "port": 2020}, "periodSeconds": 10},
        "volumeMounts": [
            {"name": "settings", "mountPath": "/etc/fluent-bit", "readOnly": True},
            {"name": "logs", "mountPath": "/var/log", "readOnly": True},
            {"name": "places", "mountPath": "/var/lib/fluent-bit"},
        ],
    }


def _daemons(scope: Scope) -> Json:
    match = selector(scope.system, NAME, "system")
    spec: Json = {
        "serviceAccountName": NAME,
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "tolerations": [{"operator": "Exists"}],
        "containers": [_container()],
        "volumes": [
            {"name": "settings", "configMap": {"name": f"{NAME}-settings"}},
            {"name": "logs", "hostPath": {"path": "/var/log"}},
            {"name": "places", "hostPath": {"path": "/var/lib/fluent-bit", "type": "DirectoryOrCreate"}},
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": meta(scope.system, NAME, "system"),
        "spec": {
            "selector": {"matchLabels": match},
            "template": {"metadata": {"labels": match}, "spec": spec},
        },
    }
