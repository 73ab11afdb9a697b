"""Who answers at a host: names, namespaces, links; and what no name says."""

from pathlib import Path

import pytest

from shoal.check.report import Report
from tests.check.projects import found, report_of

DEPLOYED = """\
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: SPACE}
spec: {selector: {app: NAME}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: SPACE}
spec:
  template:
    metadata: {labels: {app: NAME}}
    spec:
      containers:
        - name: NAME
          image: acme/NAME
          env:
            - {name: NEXT_URL, value: 'http://NEXT'}
"""


def deployed(name: str, space: str, to: str) -> str:
    text = DEPLOYED.replace("NAME", name).replace("NEXT'", f"{to}'")
    return text.replace("SPACE", space) if space else text.replace(", namespace: SPACE", "")


@pytest.mark.parametrize(
    ("one", "other", "host", "there"),
    [
        ("", "", "b", True),
        ("", "default", "b", True),  # one and the same namespace
        ("shop", "default", "b.default.svc.cluster.local", True),
        ("shop", "", "b.default", True),
        ("shop", "stock", "b.stock", True),
        ("shop", "stock", "b.stock.svc", True),
        ("shop", "", "b.stock.svc.cluster.local", True),  # whoever applies the file may say so
        ("shop", "stock", "b", False),  # a name without more is of the own namespace
        ("shop", "stock", "b.example", False),
        ("", "", "b.example", False),  # a host outside
        ("shop", "shop", "b-0.b", True),
        ("shop", "stock", "b-0.b.stock.svc.cluster.local", True),
    ],
)
def test_services_of_a_cluster(tmp_path: Path, one: str, other: str, host: str, there: bool) -> None:
    back = f"a.{one or 'default'}.svc"
    files = {"a.yaml": deployed("a", one, host), "b.yaml": deployed("b", other, back)}
    assert found(report_of(tmp_path, files, "SH102")) == ([("SH102", "a.yaml:17")] if there else [])


STORE = """\
services:
  NAME:
    image: acme/NAME
    environment: {DATABASE_URL: 'postgres://HOST/shop'}
  db:
    image: postgres:18
"""


def sharing(root: Path, **services: str) -> Report:
    files = {
        f"{name}/compose.yaml": STORE.replace("NAME", name).replace("HOST", host) for name, host in services.items()
    }
    return report_of(root, files, "SH201")


@pytest.mark.parametrize(
    ("host", "one"),
    [
        ("db", False),  # each folder has a database of its own
        ("localhost:5432", False),  # each container is a machine of its own
        ("127.0.0.1", False),
        ("db.example", True),
        ("host.docker.internal", True),
    ],
)
def test_databases_of_one_name_are_not_one(tmp_path: Path, host: str, one: bool) -> None:
    assert bool(sharing(tmp_path, orders=host, prices=host).findings) is one


def test_files_of_two_formats_describe_two_places(tmp_path: Path) -> None:
    compose = "services:\n  web:\n    image: acme/web\n    ports: ['80:80']\n"
    cluster = deployed("web", "", "nobody")
    files = {"compose.yaml": compose, "k8s.yaml": cluster}
    assert found(report_of(tmp_path, files, "SH308")) == []  # it can be reached on a laptop, not in the cluster
    files["k8s.yaml"] = cluster.replace("spec: {selector", "spec: {type: NodePort, selector")
    assert found(report_of(tmp_path, files, "SH308")) == [("SH308", "k8s.yaml:10")]


def test_one_service_in_two_namespaces_is_alone_in_each(tmp_path: Path) -> None:
    text = deployed("web", "one", "x").replace("spec: {selector", "spec: {type: NodePort, selector")
    files = {"one.yaml": text, "two.yaml": text.replace("namespace: one", "namespace: two")}
    assert found(report_of(tmp_path, files, "SH308")) == [("SH308", "one.yaml:10")]


LINKED = """\
services:
  a:
    image: acme/a
    environment: {DATABASE_URL: 'postgres://data/a', NEXT_URL: 'http://b'}
    links: ['db:data', db]
  b:
    image: acme/b
    environment: {DATABASE_URL: 'postgres://db/b'}
    SAID
  db:
    image: postgres:18
"""


@pytest.mark.parametrize(
    ("said", "line"),
    [("links: [a]", 4), ("links: ['a:next']", 4), ("depends_on: [a]", 0), ("depends_on: {a: {}}", 0)],
)
@pytest.mark.parametrize("told", [True, False])
def test_a_link_is_an_address_and_an_order_of_starting_is_none(
    tmp_path: Path, said: str, line: int, told: bool
) -> None:
    text = LINKED.replace("SAID", said)
    text = text if told else text.replace("    environment: {DATABASE_URL: 'postgres://db/b'}\n", "")
    report = report_of(tmp_path, {"compose.yaml": text}, "SH102", "SH201")
    assert found(report) == ([("SH102", f"compose.yaml:{line}")] if line else [])


def test_what_a_link_calls_a_store_is_that_store(tmp_path: Path) -> None:
    text = LINKED.replace("SAID", "restart: always").replace("db/b", "db/a")
    (finding,) = report_of(tmp_path, {"compose.yaml": text}, "SH201").findings
    assert finding.message == "a and b use the database a of db"


@pytest.mark.parametrize(
    ("one", "other", "severity"),
    [
        ("jdbc:sqlserver://db:1433;databaseName=a", "jdbc:sqlserver://db:1433;databaseName=b", None),
        ("jdbc:sqlserver://db:1433;databaseName=a", "Server=db;Initial Catalog=a", "error"),
        ("r2dbc:pool:mariadb://db/a", "jdbc:mariadb://db/a", "error"),
        ("postgres://db:${PORT}/a", "postgres://db:5432/a", "error"),
        ("postgres://db:${PORT}/a", "postgres://db:${PORT}/b", None),
        ("postgres://db:${PORT}/${NAME}", "postgres://db/${NAME}", "warning"),
    ],
)
def test_how_addresses_are_spelled(tmp_path: Path, one: str, other: str, severity: str | None) -> None:
    text = LINKED.replace("SAID", "restart: always").replace("    links: ['db:data', db]\n", "")
    text = text.replace("postgres://data/a", one).replace("postgres://db/b", other)
    report = report_of(tmp_path, {"compose.yaml": text}, "SH201")
    assert [finding.severity for finding in report.findings] == ([severity] if severity else [])


@pytest.mark.parametrize("image", ["postgres:${TAG}", "${REGISTRY}/postgres:18", "${POSTGRES_IMAGE}", ""])
def test_an_image_whose_version_nobody_knows_is_still_a_store(tmp_path: Path, image: str) -> None:
    text = LINKED.replace("SAID", "restart: always").replace("db", "postgres")
    text = text.replace("    image: postgres:18\n", f"    image: {image}\n" if image else "    build: .\n")
    assert report_of(tmp_path, {"compose.yaml": text}, "SH701").services == 2


def test_an_engine_is_known_though_nobody_knows_where_its_image_comes_from(tmp_path: Path) -> None:
    text = "services:\n  x:\n    image: ${REGISTRY}/postgres:12\n"
    assert found(report_of(tmp_path, {"compose.yaml": text}, "SH409")) == [("SH409", "compose.yaml:3")]
