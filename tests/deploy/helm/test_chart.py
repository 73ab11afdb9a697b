"""The chart, rendered by what of Go's templates it uses, is what Kustomize makes of the same system.

Helm is not needed: an expression is a value by its path, the namespace of the release, or two braces. Nothing else is
used, which a test makes sure of.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from shoal import files
from shoal.cli.program import main
from shoal.deploy.helm.chart import compile_helm
from shoal.deploy.kubernetes.settings import Environment
from shoal.model.system import System
from tests.deploy.authority import complaints, validator
from tests.deploy.samples import CAFE, artifacts, scope_of, shop

KUBECTL = shutil.which("kubectl")
ROOT = Path(__file__).parents[3]
STAGING = Environment(name="staging", least=2, most=7)
CANARY = Environment(name="production", release="canary", least=3, most=9)
EXPRESSION = re.compile(r"\{\{\s*(.*?)\s*\}\}")


def chart(system: System, environment: Environment) -> dict[str, str]:
    return {artifact.path: artifact.text for artifact in compile_helm(scope_of(system, environment))}


def rendered(texts: dict[str, str], namespace: str, values: dict[str, Any] | None = None) -> list[Any]:
    given = values or yaml.safe_load(texts["values.yaml"])

    def replaced(match: re.Match[str]) -> str:
        found: Any = {"Values": given, "Release": {"Namespace": namespace}}
        if match[1] == '"{{"':
            return "{{"
        assert re.fullmatch(r"(\.[A-Za-z_][A-Za-z0-9_]*)+", match[1]), match[0]
        for part in match[1].split(".")[1:]:
            found = found[part]
        return str(found)

    templates = [EXPRESSION.sub(replaced, text) for path, text in sorted(texts.items()) if path.endswith(".yaml")
                 and path.startswith("templates/")]  # fmt: skip
    return [document for text in templates for document in yaml.safe_load_all(text)]


def built(folder: Path, environment: str) -> list[Any]:
    assert KUBECTL
    done = subprocess.run(  # noqa: S603
        [KUBECTL, "kustomize", str(folder / "overlays" / environment)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def comparable(documents: list[Any]) -> dict[str, Any]:
    """Take away what differs by design: namespaces, hashes in names, labels of environments, hooks, servers."""
    hashed = [d["metadata"]["name"] for d in documents if d["kind"] == "ConfigMap"]
    plainly = {name: re.sub(r"-[0-9a-z]{10}$", "", name) for name in hashed}
    found = {}
    for one in documents:
        about = one["metadata"]
        about.pop("namespace", None)
        about.pop("annotations", None)
        about.setdefault("labels", {}).pop("shoal.dev/environment", None)
        component = about["labels"].get("app.kubernetes.io/component")
        if one["kind"] == "ConfigMap":
            about.pop("labels")
        text = json.dumps(one, sort_keys=True)
        for name, bare in plainly.items():
            text = text.replace(f'"{name}"', f'"{bare}"')
        plain = json.loads(text)
        pod = plain.get("spec", {}).get("template", {}).get("metadata", {})
        pod.get("annotations", {}).pop("shoal.dev/settings", None)
        if not pod.get("annotations", True):
            del pod["annotations"]
        if component != "engine" and one["kind"] != "Namespace":
            found[f"{one['kind']} {plain['metadata']['name']}"] = plain
    return found


@pytest.mark.skipif(KUBECTL is None, reason="kubectl, which builds kustomizations, is not here")
@pytest.mark.parametrize("environment", [STAGING, CANARY], ids=["rolling", "canary"])
def test_the_chart_is_what_kustomize_makes(environment: Environment, tmp_path: Path) -> None:
    files.write_all(tmp_path, artifacts(CAFE, environment))
    expected = comparable(built(tmp_path, environment.name))
    found = comparable(rendered(chart(CAFE, environment), f"cafe-{environment.name}"))
    for name in sorted(set(expected) - set(found)):  # of servers in the cluster, which are not in the chart
        assert re.search(r"postgres|nats|valkey", name), name
    assert set(found) <= set(expected)
    for name, document in found.items():
        assert document == expected[name], name


def test_values_reach_what_they_name() -> None:
    texts = chart(CAFE, STAGING)
    values = yaml.safe_load(texts["values.yaml"])
    values |= {"registry": "other.example", "host": "tills.example"}
    values["services"]["till"] = {"tag": "9.9", "least": 4, "most": 5, "cpu": "1", "memory": "1Gi"}
    documents = rendered(texts, "elsewhere", values)
    (till,) = [d for d in documents if d["kind"] == "Deployment" and d["metadata"]["name"] == "till"]
    (container,) = till["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "other.example/cafe/till:9.9"
    assert container["resources"] == {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}
    (scaler,) = [d for d in documents if d["kind"] == "HorizontalPodAutoscaler" and d["metadata"]["name"] == "till"]
    assert (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"]) == (4, 5)
    (gateway,) = [d for d in documents if d["kind"] == "Gateway"]
    assert gateway["spec"]["listeners"][0]["hostname"] == "tills.example"
    assert "/ns/elsewhere/sa/till" in json.dumps(documents)
    assert "staging.cafe.example" not in json.dumps(documents)


def test_the_schema_takes_the_values_and_no_others() -> None:
    texts = chart(shop(), STAGING)
    schema, values = json.loads(texts["values.schema.json"]), yaml.safe_load(texts["values.yaml"])
    jsonschema.validate(values, schema)
    for wrong in ({"registri": "x"}, {"services": {**values["services"], "order": values["services"]["orders"]}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**values, **wrong}, schema)


def test_what_helm_would_apply_is_valid(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    program = validator(tmp_path_factory.mktemp("schemas"))
    texts = chart(CAFE, CANARY)
    for number, document in enumerate(rendered(texts, "cafe")):
        (tmp_path / f"{number}.yaml").write_text(yaml.safe_dump(document), "utf-8")
    assert not complaints(program, tmp_path)
    assert yaml.safe_load(texts["Chart.yaml"])["apiVersion"] == "v2"


def test_the_command_writes_a_chart(tmp_path: Path) -> None:
    def invoke(*more: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["-C", str(ROOT), "-q", "deploy", "helm", "--out", str(tmp_path), *more])
        return int(ended.value.code or 0)

    assert [invoke("--check"), invoke(), invoke("--check")] == [1, 0, 0]
    assert (tmp_path / "templates" / "orders.yaml").exists()
