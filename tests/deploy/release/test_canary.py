"""Canaries: both versions are routed to wherever the service was, and judged by the margins of `shoal canary`."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from shoal import files
from shoal.deploy.kubernetes.monitoring.promql import named
from shoal.deploy.kubernetes.release.analysis import errors, slow
from shoal.deploy.kubernetes.settings import Environment, Mesh, agreed
from shoal.errors import DeclarationError
from shoal.model.rollout import Rollout
from tests.deploy.authority import complaints, validator
from tests.deploy.monitoring.test_queries import labels
from tests.deploy.samples import CAFE, MESHES, artifacts, objects, of_kind, shop, written

PROMTOOL = os.environ.get("SHOAL_PROMTOOL") or shutil.which("promtool")
RULE = Rollout(requests=50, errors=0.01, slow=0.10)
COUNT = "http_server_request_duration_seconds_count"
BUCKET = "http_server_request_duration_seconds_bucket"


def production(mesh: Mesh = "istio") -> Environment:
    return Environment(name="production", mesh=mesh, release="canary")


def test_every_service_has_a_rollout_with_its_steps() -> None:
    documents = objects(written(shop(), production()))
    rollouts = {one["metadata"]["name"]: one["spec"] for one in of_kind(documents, "Rollout")}
    assert set(rollouts) == {service.name for service in shop().services}
    canary = rollouts["orders"]["strategy"]["canary"]
    assert [step["setWeight"] for step in canary["steps"] if "setWeight" in step] == [5, 20, 50, 80]
    assert canary["analysis"]["templates"] == [{"templateName": "orders"}]
    for deployment in of_kind(documents, "Deployment"):
        assert (deployment["spec"]["replicas"] == 0) == (deployment["metadata"]["name"] in rollouts)
    for scaler in of_kind(documents, "ScaledObject", "HorizontalPodAutoscaler"):
        if "scaleTargetRef" in scaler["spec"]:
            assert scaler["spec"]["scaleTargetRef"]["kind"] == "Rollout"


@pytest.mark.parametrize("mesh", MESHES)
def test_no_route_passes_by_the_two_versions(mesh: Mesh) -> None:
    documents = objects(written(CAFE, production(mesh)))
    names = {"till", "menu"}
    services = {one["metadata"]["name"] for one in of_kind(documents, "Service")}
    asked: dict[str, set[str]] = {name: set() for name in names}
    for route in of_kind(documents, "HTTPRoute"):
        for rule in route["spec"]["rules"]:
            leads = {backend["name"]: backend.get("weight") for backend in rule.get("backendRefs", ())}
            assert not names & set(leads), route["metadata"]["name"]
            assert set(leads) <= services
            for name in names & {one.rpartition("-")[0] for one in leads}:
                assert (leads[f"{name}-stable"], leads[f"{name}-canary"]) == (100, 0)
                asked[name].add(route["metadata"]["name"])
    for virtual in of_kind(documents, "VirtualService"):
        for part in virtual["spec"]["http"]:
            name = virtual["metadata"]["name"]
            hosts = [(one["destination"]["host"], one["weight"]) for one in part["route"]]
            assert hosts == [(f"{name}-stable", 100), (f"{name}-canary", 0)]
    for rollout in of_kind(documents, "Rollout"):
        traffic = rollout["spec"]["strategy"]["canary"].get("trafficRouting", {})
        plugged = traffic.get("plugins", {}).get("argoproj-labs/gatewayAPI", {}).get("httpRoutes", [])
        assert {route["name"] for route in plugged} == asked[rollout["metadata"]["name"]]


def test_rolling_changes_nothing() -> None:
    texts = written(CAFE, Environment(name="production"))
    assert not of_kind(objects(texts), "Rollout", "AnalysisTemplate")
    assert "shoal.dev/role" not in "".join(texts.values())


def test_environments_of_one_base_agree_how_they_release() -> None:
    with pytest.raises(DeclarationError, match="disagree about release"):
        agreed([Environment(name="dev"), production()])


def test_what_is_asked_is_what_services_show() -> None:
    for query in (errors("orders", RULE), slow("orders", RULE)):
        for metric, matched in named(query.replace("{{args.namespace}}", "shop")):
            assert set(matched) <= labels(metric) | {"shoal_dev_role"}


def test_what_is_written_is_valid(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    program = validator(tmp_path_factory.mktemp("schemas"))
    files.write_all(tmp_path, artifacts(CAFE, production()))
    assert not complaints(program, tmp_path / "base")


def series(name: str, version: str, each: int, **more: str) -> dict[str, str]:
    own = {"namespace": "shop", "job": "orders", "shoal_dev_role": version, **more}
    inner = ",".join(f'{label}="{value}"' for label, value in own.items())
    return {"series": f"{name}{{{inner}}}", "values": f"0+{each}x20"}


def answers(version: str, good: int, bad: int = 0, late: int = 0) -> list[dict[str, str]]:
    """Make series of a version that each minute answers so many requests well, badly, and late."""
    return [
        series(COUNT, version, good, http_response_status_code="200"),
        series(COUNT, version, bad, http_response_status_code="503"),
        series(BUCKET, version, good + bad - late, le="0.5"),
        series(BUCKET, version, good + bad, le="8.0"),
        series(BUCKET, version, good + bad, le="+Inf"),
    ]


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed here (it comes with Prometheus)")
@pytest.mark.parametrize(
    ("given", "worse", "tardy"),
    [
        (answers("stable", 100) + answers("canary", 100), False, False),
        (answers("stable", 100) + answers("canary", 97, 3), True, False),
        (answers("stable", 97, 3) + answers("canary", 97, 3), False, False),
        (answers("stable", 100) + answers("canary", 100, late=30), False, True),
        (answers("stable", 100, late=2) + answers("canary", 100, late=10), False, False),
        (answers("stable", 100) + answers("canary", 2, 3), None, None),
        (answers("canary", 90, 10), True, None),
    ],
    ids=["as good", "fails more", "both fail", "slow", "hardly slower", "too few", "nothing to compare with"],
)
def test_prometheus_judges_as_the_laptop_does(
    given: list[dict[str, str]], worse: bool | None, tardy: bool | None, tmp_path: Path
) -> None:
    """A verdict is a number on one side of zero or of the margin; None is no verdict."""
    checks = []
    for query, margin, expected in ((errors("orders", RULE), RULE.errors, worse), (slow("orders", RULE), 0.0, tardy)):
        asked = query.replace("{{args.namespace}}", "shop")
        found = f"count({asked})" if expected is None else f"count(({asked}) > {margin})"
        checks.append(
            {"expr": f"{found} or vector(0)", "eval_time": "15m", "exp_samples": [{"value": int(bool(expected))}]}
        )
    suite = {
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": given, "promql_expr_test": checks}],
    }
    (tmp_path / "test.yaml").write_text(json.dumps(suite), "utf-8")
    done = subprocess.run(  # noqa: S603
        [PROMTOOL or "", "test", "rules", "test.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
