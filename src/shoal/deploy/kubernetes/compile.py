"""Plan → every file for Kubernetes."""

from collections.abc import Iterable

from shoal.deploy import yaml
from shoal.deploy.kubernetes.parts import PARTS
from shoal.deploy.kubernetes.release.canary import released
from shoal.deploy.kubernetes.scope import Scope
from shoal.deploy.kubernetes.sheet import Entry, Made, Sheet, Text, Thing
from shoal.deploy.yaml import Json
from shoal.errors import PlanError
from shoal.model.artifact import Artifact
from shoal.model.finding import Finding

KUSTOMIZATION = "kustomization.yaml"

_HEAD = "Written by `shoal deploy kubernetes`; changes are lost. Put patches of yours into overlays/NAME/patches."
_ORDER = ("namespace", "resources", "components", "labels", "configMapGenerator", "images", "patches", "replacements")
_SINGLE = frozenset({"namespace"})


def compile_kubernetes(scope: Scope) -> tuple[Artifact, ...]:
    """Write every file, sorted by path; the same scope gives the same bytes.

    Raises:
        PlanError: Two objects would have one name.
    """
    made = released(scope, [one for part in PARTS for one in part.make(scope)])
    _check_names(made)
    artifacts = [_sheet(scope, one) for one in made if isinstance(one, Sheet)]
    artifacts += [Artifact(path=one.path, text=one.text) for one in made if isinstance(one, Text)]
    artifacts += _kustomizations(made)
    return tuple(sorted(artifacts, key=lambda artifact: artifact.path))


def findings(scope: Scope) -> tuple[Finding, ...]:
    """Say what cannot be expressed, and what is missing: errors first."""
    order = ("error", "warning", "info")
    found = [finding for part in PARTS for finding in part.findings(scope)]
    return tuple(
        sorted(dict.fromkeys(_keyed(found)), key=lambda f: (order.index(f.severity), f.code, f.where, f.message))
    )


def _check_names(made: Iterable[Made]) -> None:
    """Refuse names that a service shares with what is made for another, or beside it."""
    patches = {f"{one.folder}/{_path(one.value)}" for one in made if isinstance(one, Entry) and one.field == "patches"}
    seen: dict[tuple[str, ...], str] = {}
    for one in made:
        if not isinstance(one, Sheet) or one.path in patches:
            continue
        overlay = one.path.split("/")[1] if one.path.startswith("overlays/") else ""
        for body in (thing.body for thing in one.things):
            key = (body["apiVersion"].partition("/")[0], body["kind"], body["metadata"]["name"])
            first = seen.get(("", *key)) or seen.get((overlay, *key))
            if first is not None:
                raise PlanError(
                    f"two objects would be {body['kind']} {body['metadata']['name']}: in {first} and in {one.path}",
                    hint="a service has the name of what is made beside it, or for another: rename it",
                )
            seen[overlay, *key] = one.path


def _keyed(found: Iterable[Finding]) -> Iterable[Finding]:
    seen = set()
    for finding in found:
        key = (finding.code, finding.message)
        if key not in seen:
            seen.add(key)
            yield finding


def _sheet(scope: Scope, sheet: Sheet) -> Artifact:
    texts = [_thing(scope, thing) for thing in sheet.things]
    return Artifact(path=sheet.path, text="---\n".join(texts))


def _thing(scope: Scope, thing: Thing) -> str:
    declared = f"Declared in {thing.source}." if scope.source and thing.source else ""
    return yaml.document(thing.body, head=(thing.why, declared))


def _kustomizations(made: Iterable[Made]) -> list[Artifact]:
    """Write the kustomization of every folder: its files, its folders, and what parts added."""
    fields: dict[str, dict[str, list[object]]] = {}
    patches = {f"{one.folder}/{_path(one.value)}" for one in made if isinstance(one, Entry) and one.field == "patches"}
    for one in made:
        if isinstance(one, Entry):
            fields.setdefault(one.folder, {}).setdefault(one.field, []).append(one.value)
        elif isinstance(one, Sheet) and one.path not in patches:
            folder, _, name = one.path.rpartition("/")
            fields.setdefault(folder, {}).setdefault("resources", []).append(name)
    for folder in sorted(fields):
        if folder.startswith("base/"):
            fields.setdefault("base", {}).setdefault("resources", []).append(folder.removeprefix("base/"))
    return [_kustomization(folder, found) for folder, found in fields.items()]


def _path(value: object) -> str:
    return str(value.get("path", "")) if isinstance(value, dict) else ""


def _folders_first(name: str) -> tuple[bool, str]:
    return not name.startswith(".."), name


def _kustomization(folder: str, fields: dict[str, list[object]]) -> Artifact:
    body: Json = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
    for field in _ORDER:
        if field not in fields:
            continue
        values = fields[field]
        if field == "resources":
            values = [*sorted({str(value) for value in values}, key=_folders_first)]
        body[field] = values[0] if field in _SINGLE else values
    return Artifact(path=f"{folder}/{KUSTOMIZATION}", text=yaml.document(body, head=(_HEAD,)))
