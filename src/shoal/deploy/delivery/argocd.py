"""Argo CD: a project that bounds what it may do, an Application for each environment, and previews. Pure."""

import json
import re

from shoal.deploy import yaml
from shoal.deploy.delivery.waves import patches
from shoal.deploy.kubernetes.naming import labels
from shoal.deploy.kubernetes.parts import PARTS
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.sheet import Entry
from shoal.deploy.kubernetes.workloads import image_of
from shoal.deploy.yaml import Json, Noted
from shoal.errors import DeclarationError
from shoal.model.artifact import Artifact
from shoal.model.data import Data

NAMESPACE = "argocd"
CLUSTER = "https://kubernetes.default.svc"
LABEL = "preview"
"""Label of a pull request that somebody wants to see."""

_HEAD = "Written by `shoal deploy argocd`; changes are lost."
_URL = re.compile(r"(https://|ssh://|git@)[A-Za-z0-9@:/._~-]+")
_PREVIEWS = re.compile(r"(github|gitlab):([A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+)")


class Wish(Data, frozen=True, kw_only=True):
    """Where Argo CD finds what it deploys."""

    repository: str
    branch: str = "main"
    deploy: str = "deploy"
    """Folder in which `shoal deploy kubernetes` has written."""
    place: str = "argocd"
    """Folder in which this is written."""
    previews: str = ""
    """``github:OWNER/NAME`` or ``gitlab:PROJECT`` whose labelled pull requests are deployed; empty for none."""

    def __post_init__(self) -> None:
        """Refuse what is no address and no project."""
        if not _URL.fullmatch(self.repository):
            raise DeclarationError(
                f"{self.repository!r} is no address of a repository", hint="https://github.com/example/shop"
            )
        if self.previews and not _PREVIEWS.fullmatch(self.previews):
            raise DeclarationError(
                f"{self.previews!r} has no pull requests", hint="github:example/shop, gitlab:example/shop"
            )


def compile_argocd(scope: Scope, wish: Wish) -> tuple[Artifact, ...]:
    """Write every file."""
    bodies = {"project": _project(scope, wish), "environments": _environments(scope, wish)}
    if wish.previews:
        bodies["previews"] = _previews(scope, wish)
    kustomization: Json = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": NAMESPACE,
        "resources": [f"{name}.yaml" for name in bodies],
    }
    texts = {f"{name}.yaml": body for name, body in (*bodies.items(), ("kustomization", kustomization))}
    if wish.previews:
        texts["preview/kustomization.yaml"] = _preview(scope, wish)
    return tuple(Artifact(path=path, text=yaml.document(body, head=(_HEAD,))) for path, body in texts.items())


def _project(scope: Scope, wish: Wish) -> Json:
    spaces = [scope.namespace(environment) for environment in scope.environments]
    if wish.previews:
        spaces.append(f"{scope.system}-pr-*")
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": _about(scope, scope.system),
        "spec": {
            "description": f"The system {scope.system}: from one repository, into its own namespaces.",
            "sourceRepos": [wish.repository],
            "destinations": [{"server": CLUSTER, "namespace": space} for space in spaces],
            "clusterResourceWhitelist": Noted(
                [{"group": "", "kind": "Namespace"}, {"group": "scheduling.k8s.io", "kind": "PriorityClass"}],
                "Nothing else that belongs to no namespace.",
            ),
        },
    }


def _environments(scope: Scope, wish: Wish) -> Json:
    elements = [{"name": one.name, "namespace": scope.namespace(one)} for one in scope.environments]
    source = {
        "repoURL": wish.repository,
        "targetRevision": wish.branch,
        "path": f"{wish.deploy}/releases/{{{{.name}}}}",
        "kustomize": {"patches": Noted(patches(), "The order in which things come: see docs/delivery.md.")},
    }
    template = _application(scope, "{{.name}}", "{{.namespace}}", source)
    return _set(scope, "environments", {"list": {"elements": elements}}, template)


def _previews(scope: Scope, wish: Wish) -> Json:
    kind, _, project = wish.previews.partition(":")
    owner, _, name = project.rpartition("/")
    about: Json = (
        {"owner": owner, "repo": name} if kind == "github" else {"project": project, "pullRequestState": "opened"}
    )
    token = {"secretName": f"{scope.system}-{kind}", "key": "token"}
    first = scope.environments[0]
    images = [f"{first.registry}/{image_of(scope, s)}={first.registry}/{image_of(scope, s)}:{{{{.head_sha}}}}"
              for s in scope.plan.services]  # fmt: skip
    host = f"pr-{{{{.number}}}}.{scope.hosts(first)[0]}"
    rename = [{"op": "replace", "path": "/spec/listeners/0/hostname", "value": host}]
    source = {
        "repoURL": wish.repository,
        "targetRevision": "{{.head_sha}}",
        "path": f"{wish.place}/preview",
        "kustomize": {
            "namespace": f"{scope.system}-pr-{{{{.number}}}}",
            "images": Noted(images, "A pipeline gives every image the name of the request's last commit."),
            "patches": [*patches(), {"target": {"kind": "Gateway", "name": "edge"}, "patch": json.dumps(rename)}],
        },
    }
    generator = {"pullRequest": {kind: {**about, "labels": [LABEL], "tokenRef": token}, "requeueAfterSeconds": 120}}
    template = _application(scope, "pr-{{.number}}", f"{scope.system}-pr-{{{{.number}}}}", source)
    return _set(scope, "previews", generator, template)


def _preview(scope: Scope, wish: Wish) -> Json:
    """Stand around the first environment, so that its namespace can be another one, also in what names it."""
    first = f"overlays/{scope.environments[0].name}"
    made = (one for part in PARTS for one in part.make(scope))
    found = [m.value for m in made if isinstance(m, Entry) and (m.folder, m.field) == (first, "replacements")]
    up = "../" * (len(wish.place.split("/")) + 1)
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": f"{scope.system}-pr",
        "resources": [f"{up}{wish.deploy}/{first}"],
        **(
            {"replacements": Noted(found, "As in the overlay: identities and addresses name their namespace.")}
            if found
            else {}
        ),
    }


def _set(scope: Scope, name: str, generator: Json, template: Json) -> Json:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": _about(scope, f"{scope.system}-{name}"),
        "spec": {
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [generator],
            "template": template,
        },
    }


def _application(scope: Scope, name: str, namespace: str, source: Json) -> Json:
    return {
        "metadata": {"name": f"{scope.system}-{name}", "labels": labels(scope.system, scope.system, "system")},
        "spec": {
            "project": scope.system,
            "source": source,
            "destination": {"server": CLUSTER, "namespace": namespace},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": ["ServerSideApply=true", "ApplyOutOfSyncOnly=true", "PruneLast=true"],
                "retry": {"limit": 5, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}},
            },
            "ignoreDifferences": Noted(_moving(), "What a scaler or a canary moves is theirs."),
        },
    }


def _moving() -> list[Json]:
    return [
        {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]},
        {"group": "argoproj.io", "kind": "Rollout", "jsonPointers": ["/spec/replicas"]},
        {
            "group": "networking.istio.io",
            "kind": "VirtualService",
            "jqPathExpressions": [".spec.http[].route[].weight"],
        },
        {
            "group": "gateway.networking.k8s.io",
            "kind": "HTTPRoute",
            "jqPathExpressions": [".spec.rules[].backendRefs[].weight"],
        },
    ]


def _about(scope: Scope, name: str) -> Json:
    return {"name": name, "namespace": NAMESPACE, "labels": labels(scope.system, scope.system, "system")}
