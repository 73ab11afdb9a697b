"""What looks like a mistake in files beside a system and is none, and what is one although it looks otherwise."""

import datetime as dt
from pathlib import Path

import pytest

from shoal.check.ends import ENGINES, SERVICES
from shoal.check.manifests import documents
from shoal.check.targets import Target, targets
from tests.check.projects import found, report_of

SYSTEM = """
from typing import Protocol

from shoal import Postgres, Service, System, anyone, contract, get, internal


@contract("prices")
class PricesApi(Protocol):
    @get("/price", access=internal)
    async def price(self) -> int: ...


prices = Service("prices", store=Postgres())
orders = Service("orders")
notes = Service("notes")


@prices.implements(PricesApi.price)
async def price() -> int:
    return 3


@orders.post("/orders", access=anyone, critical=True)
async def place(prices: PricesApi) -> int:
    return await prices.price()


@notes.get("/notes", access=anyone)
async def show() -> int:
    return 3


system = System("shop", services=[prices, orders, notes])
"""


def places(root: Path, code: str, **files: str) -> list[str]:
    named = {path.replace("__", "/").replace("_dot_", ".").replace("_", "-"): text for path, text in files.items()}
    report = report_of(root, {"system.py": SYSTEM, **named}, code)
    assert code in report.asked
    return [place for of, place in found(report) if of == code]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("least = 1\n", ["1", "1"]),  # both services of the critical way, by what all have
        ("least = 1\n[services.prices]\nleast = 2\n", ["1"]),
        ("least = 3\n[services.prices]\nmost = 5\nleast = 1\n", ["4"]),
        ("[services.notes]\nleast = 1\n", []),  # nothing critical needs it
        ("[services.notes]\nleast = 1\n[services.prices]\nleast = 1\n", ["4"]),
        ('name = "dev"\nleast = 1\n', []),
        ("", []),
        ("this is no TOML", []),
    ],
)
def test_replicas_of_critical_ways(tmp_path: Path, text: str, lines: list[str]) -> None:
    expected = sorted({f"targets/production.toml:{line}" for line in lines})
    assert sorted(set(places(tmp_path, "SH308", targets__production_dot_toml=text))) == expected


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("[services.prices]\nmost = 7\n", ["2"]),  # 119 connections, and room for 112
        ("[services.prices]\nmost = 6\n", []),
        ("[services.orders]\nmost = 60\n", []),  # it has no store
        ('most = 60\n[engines]\npostgres = "db.r6g.xlarge"\n', []),  # 3,604
        ('most = 60\n[engines]\npostgres = "db.t4g.large"\n', ["1"]),  # 901 of 1,020
        ('most = 60\n[engines]\npostgres = "db.z9.huge"\n', []),  # nobody knows it
    ],
)
def test_pools(tmp_path: Path, text: str, lines: list[str]) -> None:
    expected = [f"targets/aws-production.toml:{line}" for line in lines]
    assert places(tmp_path, "SH306", targets__aws_production_dot_toml=text) == expected


@pytest.mark.parametrize(
    ("size", "most", "seen"),
    [
        ("B_Standard_B1ms", 3, True),
        ("B_Standard_B1ms", 2, False),
        ("GP_Standard_D2ds_v5", 9, False),
        ("GP_Standard_D2ds_v5", 50, True),
        ("GP_Standard_D24ds_v5", 50, False),
    ],
)
def test_pools_on_azure(tmp_path: Path, size: str, most: int, *, seen: bool) -> None:
    text = f'most = {most}\n[engines]\npostgres = "{size}"\n'
    assert bool(places(tmp_path, "SH306", targets__azure_dot_toml=text)) == seen


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("image: postgres:12", True),
        ("image: registry.example:5000/library/postgres:12.4-alpine", True),
        ("imageName: ghcr.io/cloudnative-pg/postgresql:13-standard", True),
        ("image: postgres:18", False),
        ("image: postgres", False),
        ("image: postgres-exporter:0.12", False),
        ("image: bitnami/mongodb:4.4", True),
        ("image: mongo:8.0", False),
        ("image: redis:7", False),  # which of them nobody knows
        ("image: redis:7.0.15", True),
        ("image: valkey/valkey:8.1", False),
        ("image: nats:2.10-alpine", True),
        ("image: nats:2.15", False),
        ("image: apache/kafka:3.7.0", True),
        ("image: confluentinc/cp-kafka:3.7.0", False),  # whose versions are its own
        ("image: provectuslabs/kafka-ui:3.7", False),
        ("image: 'rabbitmq:3.13.7-management-alpine'", True),
        ("image: rabbitmq:4.2", False),
        ("image: pgvector/pgvector:pg12", True),
        ("image: opensearchproject/opensearch:1.3.20", True),
        ("image: opensearchproject/opensearch:2.19", False),
        ("image: mariadb:10.6@sha256:0123", True),
        ("image: mysql:8.4", False),
        ("image: elasticsearch:7.17.0", True),
        ("image: valkey/valkey", False),
        ("# image: postgres:12", False),
    ],
)
def test_versions_of_images(tmp_path: Path, line: str, *, seen: bool) -> None:
    assert bool(places(tmp_path, "SH409", compose_dot_yaml=f"services:\n  db:\n    {line}\n")) == seen


@pytest.mark.parametrize(
    ("kind", "lines", "seen"),
    [
        ("aws_db_instance", ['engine = "postgres"', 'engine_version = "12.9"'], True),
        ("aws_db_instance", ['engine = "postgres"', 'engine_version = "18"'], False),
        ("aws_mq_broker", ['engine_type = "RabbitMQ"', 'engine_version = "3.11.20"'], True),
        ("aws_msk_cluster", ['kafka_version = "3.5.1"'], True),
        ("aws_elasticache_replication_group", ['engine = "valkey"', 'engine_version = "8.0"'], False),
        ("google_sql_database_instance", ['database_version = "POSTGRES_13"'], True),
        ("google_sql_database_instance", ['database_version = "POSTGRES_17"'], False),
        ("google_redis_instance", ['redis_version = "REDIS_7_0"'], True),
        ("azurerm_postgresql_flexible_server", ['version = "13"'], True),
        ("azurerm_linux_virtual_machine", ['version = "13"'], False),
        ("aws_db_instance", ['engine = "postgres"', "}", 'module "x" {', 'version = "12.9"'], False),
    ],
)
def test_versions_in_terraform(tmp_path: Path, kind: str, lines: list[str], *, seen: bool) -> None:
    text = f'provider "x" {{\n  version = "12.9"\n}}\nresource "{kind}" "one" {{\n' + "".join(f"{x}\n" for x in lines)
    expected = [f"deploy/main.tf:{4 + len(lines)}"] if seen else []
    assert places(tmp_path, "SH409", deploy__main_dot_tf=text + "}\n") == expected


def test_a_version_that_ends_soon_is_a_warning(tmp_path: Path) -> None:
    settings = "[tool.shoal.check.options.SH409]\ndays = 3000\n"
    compose = "services:\n  cache:\n    image: valkey/valkey:8.0\n"
    report = report_of(tmp_path, {"system.py": SYSTEM, "compose.yaml": compose, "pyproject.toml": settings}, "SH409")
    assert [(f.severity, f.message) for f in report.findings] == [("warning", "valkey 8.0 ends on 2027-09-15")]


def test_alerts_of_several_groups_and_records(tmp_path: Path) -> None:
    first = "groups:\n- rules:\n  - alert: A\n    annotations:\n      runbook_url: x\n  - record: r\n"
    text = f"{first}  - alert: B\n  - record: s\n"
    assert places(tmp_path, "SH505", monitoring__rules_dot_yml=text) == ["monitoring/rules.yml:7"]


BUDGET = """kind: PodDisruptionBudget
metadata:
  name: a
spec:
  {line}
---
kind: Deployment
metadata:
  name: {name}
"""


@pytest.mark.parametrize(
    ("line", "name", "more", "seen"),
    [
        ("maxUnavailable: 0", "b", "", True),
        ("maxUnavailable: 1", "a", "", False),
        ("minAvailable: 100%", "b", "", True),
        ("minAvailable: 1", "a", "", True),  # one replica where nothing is said
        ("minAvailable: 1", "b", "", False),
        ("minAvailable: 2", "a", "spec:\n  replicas: 3\n", False),
        ("minAvailable: 3", "a", "spec:\n  replicas: 3\n", True),
        ("minAvailable: 1", "a", "spec:\n  replicas: {{ .Values.replicas }}\n", False),
    ],
)
def test_budgets(tmp_path: Path, line: str, name: str, more: str, *, seen: bool) -> None:
    text = BUDGET.format(line=line, name=name) + more
    expected = ["kubernetes/a.yaml:5"] if seen else []
    assert places(tmp_path, "SH702", kubernetes__a_dot_yaml=text) == expected


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('cpu = "500m"', []),
        ('[services.orders]\ncpu = "20"\n', ["2"]),
        ('[services.orders]\ncpu = "8000m"\nmemory = "100000Mi"\n', ["3"]),
        ('[services.orders]\nmemory = "much"\n', []),
    ],
)
def test_sizes(tmp_path: Path, text: str, lines: list[str]) -> None:
    expected = [f"targets/production.toml:{line}" for line in lines]
    assert places(tmp_path, "SH701", targets__production_dot_toml=text) == expected


def test_what_runs_no_containers_needs_no_limits(tmp_path: Path) -> None:
    text = "kind: Deployment\nspec:\n  replicas: 3\n---\nkind: Service\nspec:\n  containers: none\n"
    assert places(tmp_path, "SH701", kubernetes__a_dot_yaml=text) == []


@pytest.mark.parametrize(
    ("text", "seen"),
    [('mesh = "app-mesh"', True), ('mesh = "istio"', False), ('registry = "eu.gcr.io/shop"', True),
     ('registry = "europe-docker.pkg.dev/shop"', False), ('name = "app-mesh-of-old"', False)],
)  # fmt: skip
def test_what_ends(tmp_path: Path, text: str, *, seen: bool) -> None:
    assert bool(places(tmp_path, "SH703", targets__aws_dot_toml=text + "\n")) == seen


def test_ends_are_days_that_somebody_announced() -> None:
    for end in (*ENGINES.values(), *(end for _, end, _ in SERVICES.values())):
        assert dt.date(2018, 1, 1) < end < dt.date(2032, 1, 1)


def test_a_target_knows_its_cloud_and_where_things_stand() -> None:
    text = 'name = "one"\n\n[services."a-b"]\nleast = 4\n[[faults]]\ncaller = "x"\n'
    (target,) = targets({"targets/gcp-one.toml": text, "targets/readme.md": "", "other.toml": ""})
    assert (target.cloud, target.name, target.of("a-b", "least", 2), target.of("c", "least", 2)) == ("gcp", "one", 4, 2)
    assert (str(target.place("a-b", "least")), str(target.place("c", "least"))) == (
        "targets/gcp-one.toml:4",
        "targets/gcp-one.toml:1",
    )
    assert Target("targets/a.toml", "", {"services": 3}).of("a", "least", 2) == 2


def test_manifests_of_odd_forms_are_read_without_failing() -> None:
    odd = "\x00\n---\n- a\n: b\nkind:\n  - x\n...\n{json: 1}\n---\nkind: List # and a remark\n"
    assert [one.kind for one in documents({"a.yaml": odd, "b.txt": "kind: No"})] == ["", "", "List"]


@pytest.mark.parametrize(
    ("kind", "name", "seen"),
    [
        ("Service", "a" * 63, False),
        ("Service", "a" * 64, True),
        ("CronJob", "a" * 53, True),
        ("Secret", "a" * 90, False),
    ],
)
def test_names_of_objects(tmp_path: Path, kind: str, name: str, *, seen: bool) -> None:
    text = f"kind: {kind}\nmetadata:\n  name: {name}\n"
    assert bool(places(tmp_path, "SH705", k8s__a_dot_yaml=text)) == seen


@pytest.mark.parametrize(
    ("file", "name", "seen"),
    [("gcp", "a" * 60, False), ("aws", "a" * 60, False), ("one", "a" * 58, False),
     ("one", "a" * 59, True)],
)  # fmt: skip
def test_names_that_follow(tmp_path: Path, file: str, name: str, *, seen: bool) -> None:
    named = {f"targets__{file}_dot_toml": f'name = "{name}"\n'}
    assert bool(places(tmp_path, "SH705", **named)) == seen
    said = f'name = "{name}"\nproject = "p"\nnamespace = "n"\n'
    assert places(tmp_path / "said", "SH705", **{f"targets__{file}_dot_toml": said}) == []
    assert places(tmp_path / "long", "SH705", targets__gcp_dot_toml=f"project = '{'p' * 31}'") == ["targets/gcp.toml:1"]
