"""What objects of Kubernetes tell: who is behind which name, what is open, how often it runs, what it may take."""

from pathlib import Path

import pytest

from shoal.check.report import Report
from tests.check.projects import found, report_of

SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  type: {type}
  selector:
    app: {name}
---
"""

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: {replicas}
  template:
    metadata:
      labels:
        app: {name}
    spec:
      containers:
        - name: {name}
          image: acme/{name}:1
          env:
            - name: NEXT_HOST
              value: {next}
"""


def deployed(name: str, *, to: str = "", type: str = "ClusterIP", replicas: int = 2) -> str:
    return SERVICE.format(name=name, type=type) + DEPLOYMENT.format(name=name, next=to or "none", replicas=replicas)


def report(root: Path, code: str, *objects: str, **files: str) -> Report:
    named = {f"k8s/{name}.yaml": text for name, text in files.items()}
    made = report_of(root, {"k8s/all.yaml": "---\n".join(objects), **named}, code)
    assert code in made.asked
    return made


def lines(report: Report) -> list[int]:
    return [finding.where.line for finding in report.findings]


def test_names_of_services_lead_to_what_they_select(tmp_path: Path) -> None:
    names = ["web", "cart.default", "stock.default.svc.cluster.local", "users:80"]
    objects = [
        deployed(name.partition(".")[0].partition(":")[0], to=to)
        for name, to in zip(names, [*names[1:], ""], strict=True)
    ]
    spaced = [text.replace("metadata:\n  name", "metadata:\n  namespace: default\n  name") for text in objects]
    (finding,) = report(tmp_path, "SH101", *spaced).findings
    assert finding.message == "synchronous chain of 4 services: web → cart → stock → users"
    assert finding.impact.endswith("129 minutes a month do not, if each of them is there for 99.9 %")


def test_a_setting_of_a_map_is_found_where_it_stands(tmp_path: Path) -> None:
    settings = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: next\ndata:\n  PRICES_URL: http://cart\n"
    web = deployed("web").replace(
        "          env:\n",
        "          envFrom:\n            - configMapRef:\n                name: next\n          env:\n",
    )
    made = report(tmp_path, "SH102", web, deployed("cart", to="web"), settings=settings)
    assert found(made) == [("SH102", "k8s/all.yaml:56")]
    assert made.findings[0].notes[0].where.file == "k8s/settings.yaml"


@pytest.mark.parametrize(
    ("part", "value"), [("stringData", "postgres://db.example/shop"), ("data", "cG9zdGdyZXM6Ly9kYi5leGFtcGxlL3Nob3A=")]
)
def test_an_address_in_a_secret_is_followed_and_not_shown(tmp_path: Path, part: str, value: str) -> None:
    secret = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n{part}:\n  url: {value}\n"
    told = "          env:\n            - {name: DATABASE_URL, valueFrom: {secretKeyRef: {name: db, key: url}}}\n"
    users = [deployed(name).replace("          env:\n", told) for name in ("orders", "prices")]
    (finding,) = report(tmp_path, "SH201", *users, secret=secret).findings
    assert finding.message == "orders and prices use the database shop of db.example"
    assert (finding.where.file, finding.where.line, finding.hidden) == ("k8s/secret.yaml", 6, True)


INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: door
spec:
  rules:
    - http:
        paths:
          - backend:
              service:
                name: web
"""
ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: door
spec:
  rules:
    - backendRefs:
        - name: web
"""
VIRTUAL = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: door
spec:
  gateways: [GATEWAY]
  http:
    - route:
        - destination:
            host: web
"""
SCALED = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: web
spec:
  scaleTargetRef:
    kind: Deployment
    name: web
  minReplicas: 2
"""


@pytest.mark.parametrize(
    ("door", "open_"),
    [
        (INGRESS, True),
        (ROUTE, True),
        (VIRTUAL.replace("GATEWAY", "outside"), True),
        (VIRTUAL.replace("GATEWAY", "mesh"), False),
        ("", False),
    ],
)
def test_one_replica_behind_a_door(tmp_path: Path, door: str, open_: bool) -> None:
    made = report(
        tmp_path,
        "SH308",
        deployed("web", to="cart", replicas=1),
        deployed("cart"),
        door or SERVICE.format(name="x", type="ClusterIP"),
    )
    assert lines(made) == ([15] if open_ else [])


def test_one_replica_further_on_and_what_scales(tmp_path: Path) -> None:
    objects = (
        deployed("web", to="cart", type="LoadBalancer", replicas=1),
        deployed("cart", replicas=1),
        deployed("apart", replicas=1),
    )
    (finding,) = report(tmp_path, "SH308", *objects).findings
    assert finding.message == (
        "web can be reached from outside (Service web), and 2 of the 2 services on the way have one replica: cart, web"
    )
    (finding,) = report(tmp_path, "SH308", *objects, scaled=SCALED).findings
    assert "1 of the 2 services on the way have one replica: cart" in finding.message


def test_of_many_services_some_are_named(tmp_path: Path) -> None:
    names = [f"s{number:02}" for number in range(1, 30)]
    inner = [deployed(name, to=after, replicas=1) for name, after in zip(names, [*names[1:], "none"], strict=True)]
    (finding,) = report(tmp_path, "SH308", deployed("web", to="s01", type="NodePort", replicas=1), *inner).findings
    assert "30 of the 30 services on the way have one replica: s01, s02, " in finding.message
    assert finding.message.endswith(" s10, ...")
    assert len(finding.notes) == 10


@pytest.mark.parametrize(
    ("resources", "missing"),
    [
        ("", "no requests and no limit of memory"),
        ("resources: {limits: {memory: 1Gi}}", ""),
        ("resources: {requests: {cpu: 1}}", "no limit of memory"),
        ("resources: {requests: {cpu: 1}, limits: {cpu: 2}}", "no limit of memory"),
    ],
)
def test_limits(tmp_path: Path, resources: str, missing: str) -> None:
    text = deployed("web").replace(
        "          env:", f"          {resources}\n          env:" if resources else "          env:"
    )
    made = report(tmp_path, "SH701", text)
    assert lines(made) == ([22] if missing else [])
    assert all(finding.message == f"container web of Deployment web has {missing}" for finding in made.findings)
    assert (
        lines(report(tmp_path, "SH701", text, range="apiVersion: v1\nkind: LimitRange\nmetadata: {name: usual}\n"))
        == []
    )


def test_versions_of_one_service_are_one(tmp_path: Path) -> None:
    second = DEPLOYMENT.format(name="web", next="none", replicas=1).replace("  name: web\nspec", "  name: web-v2\nspec")
    made = report(tmp_path, "SH308", deployed("web", type="NodePort", replicas=1), second)
    assert made.services == 1
    assert lines(made) == []  # either of them answers


def test_a_patch_is_nothing_that_runs(tmp_path: Path) -> None:
    patch = deployed("web").replace("          image: acme/web:1\n", "")
    assert report(tmp_path, "SH309", patch).services == 0


@pytest.mark.parametrize(
    ("env", "found_"),
    [
        ("- {name: DB_PASSWORD, value: hunter2}", [25]),
        ("- {name: dbPassword, value: hunter2}", [25]),
        ("- {name: DB, value: 'Server=x;Password=hunter2'}", [25]),
        ("- {name: BROKER, value: 'amqp://guest:guest@queue'}", [25]),
        ("- {name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}", []),
        ("- {name: DB_PASSWORD_FILE, value: /run/password}", []),
        ("- {name: DB_PASSWORD, value: ''}", []),
        ("- {name: TOKEN_URL, value: 'http://tokens'}", []),
        ("- {name: ALLOW_EMPTY_PASSWORD, value: 'yes'}", []),
    ],
)
def test_secrets_in_files(tmp_path: Path, env: str, found_: list[int]) -> None:
    text = deployed("web").replace("          env:\n", f"          env:\n            {env}\n")
    assert lines(report(tmp_path, "SH410", text)) == found_
