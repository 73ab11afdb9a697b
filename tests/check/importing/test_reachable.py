"""What can be reached from outside, and by whom inside."""

from pathlib import Path

import pytest

from tests.check.projects import found, report_of

ENGINE = "services:\n  queue:\n    image: IMAGE\n    ports:\n      - PORT\n"


@pytest.mark.parametrize(
    ("image", "port", "open_"),
    [
        ("postgres:18", "5432:5432", True),
        ("registry.example:5000/bitnami/redis-cluster", "'6379'", True),
        ("${REGISTRY:-docker.io}/rabbitmq:4-management", "{published: 15672, target: 15672}", True),
        ("postgres:18", "127.0.0.1:5432:5432", False),
        ("postgres:18", "'[::1]:5432:5432'", False),
        ("postgres:18", "{published: 1, target: 1, host_ip: 127.0.0.1}", False),
        ("postgres:18", "{target: 5432}", False),
        ("postgres:18", "{published: 1, target: 1, host_ip: '${BIND:-127.0.0.1}'}", False),
        ("postgres:18", "{published: 1, target: 1, host_ip: '${BIND}'}", False),  # nobody knows
        ("postgres:18", "'${BIND}:5432:5432'", False),
        ("postgres:18", "'${PORT}:5432'", True),
        ("acme/orders", "80:80", False),  # a service is there to be asked
        ("bitnami/postgres-exporter", "9187:9187", False),
    ],
)
def test_engines_on_the_addresses_of_a_machine(tmp_path: Path, image: str, port: str, open_: bool) -> None:
    text = ENGINE.replace("IMAGE", image).replace("PORT", port)
    report = report_of(tmp_path, {"compose.yaml": text}, "SH411")
    assert found(report) == ([("SH411", "compose.yaml:5")] if open_ else [])


def test_an_engine_on_the_network_of_its_machine(tmp_path: Path) -> None:
    text = ENGINE.replace("IMAGE", "postgres:18").partition("    ports")[0]
    report = report_of(tmp_path, {"compose.yaml": f"{text}    network_mode: host\n"}, "SH411")
    assert found(report) == [("SH411", "compose.yaml:4")]
    assert report_of(tmp_path, {"compose.yaml": f"{text}    network_mode: bridge\n"}, "SH411").findings == ()


OPENED = """\
apiVersion: v1
kind: Service
metadata: {name: db, namespace: data, annotations: {KEY: VALUE}}
spec: {type: TYPE, selector: {app: db}}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: data, labels: {app: db}}
spec: {containers: [{name: a, image: 'postgres:18'}]}
---
apiVersion: any/v1
kind: KIND
metadata: {name: door, namespace: edge}
spec: SPEC
"""
ROUTE = "rules: [{backendRefs: [{name: db, namespace: data}]}]"


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"TYPE": "LoadBalancer"}, 4),
        ({"TYPE": "LoadBalancer", "KEY": "networking.gke.io/load-balancer-type", "VALUE": "Internal"}, 0),
        (
            {
                "TYPE": "LoadBalancer",
                "KEY": "service.beta.kubernetes.io/azure-load-balancer-internal",
                "VALUE": "'true'",
            },
            0,
        ),
        (
            {"TYPE": "LoadBalancer", "KEY": "service.beta.kubernetes.io/azure-load-balancer-internal", "VALUE": "'no'"},
            4,
        ),
        ({"KIND": "TCPRoute", "SPEC": f"{{{ROUTE}}}"}, 14),
        ({"KIND": "TCPRoute", "SPEC": f"{{parentRefs: [{{kind: Gateway, name: x}}], {ROUTE}}}"}, 14),
        (
            {"KIND": "TCPRoute", "SPEC": f"{{parentRefs: [{{kind: Service, name: db}}], {ROUTE}}}"},
            0,
        ),  # for those within
        ({"KIND": "TCPRoute", "SPEC": "{rules: [{backendRefs: [{name: db}]}]}"}, 0),  # another one
        ({"KIND": "IngressRouteTCP", "SPEC": "{routes: [{services: [{name: db, namespace: data}]}]}"}, 14),
        ({"KIND": "Ingress", "SPEC": "{defaultBackend: {service: {name: db}}}"}, 0),
    ],
)
def test_engines_of_a_cluster(tmp_path: Path, given: dict[str, str], line: int) -> None:
    text = OPENED
    for word, said in ({"TYPE": "ClusterIP", "KEY": "a", "VALUE": "b", "KIND": "Any", "SPEC": "{}"} | given).items():
        text = text.replace(word, said)
    report = report_of(tmp_path, {"db.yaml": text}, "SH411")
    assert found(report) == ([("SH411", f"db.yaml:{line}")] if line else [])


POD = """\
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: NAME}
spec: {containers: [{name: a, image: IMAGE}]}
"""


def test_a_namespace_without_a_policy(tmp_path: Path) -> None:
    pods = {
        f"k8s/{name}.yaml": POD.replace("NAME", name).replace("IMAGE", image)
        for name, image in (("guarded", "acme/a"), ("open", "postgres:18"), ("looking-on", "prom/prometheus"))
    }
    policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: x, namespace: guarded}\n"
    report = report_of(tmp_path, {**pods, "k8s/policy.yaml": policy}, "SH412")
    assert found(report) == [("SH412", "k8s/open.yaml:2")]
    assert report.findings[0].message == "no policy says who may reach whom in the namespace open"


@pytest.mark.parametrize(
    ("kind", "space", "open_"),
    [
        ("NetworkPolicy", "default", False),
        ("NetworkPolicy", "other", True),
        ("CiliumClusterwideNetworkPolicy", "", False),
        ("AdminNetworkPolicy", "", False),
        ("AuthorizationPolicy", "istio-system", False),
        ("NetworkPolicy", "istio-system", True),
    ],
)
def test_a_policy_may_be_for_all_namespaces(tmp_path: Path, kind: str, space: str, open_: bool) -> None:
    pod = POD.replace(", namespace: NAME", "").replace("NAME", "a").replace("IMAGE", "acme/a")
    policy = f"apiVersion: any/v1\nkind: {kind}\nmetadata: {{name: x, namespace: {space or 'null'}}}\n"
    report = report_of(tmp_path, {"pod.yaml": pod, "policy.yaml": policy}, "SH412")
    assert found(report) == ([("SH412", "pod.yaml:2")] if open_ else [])


def test_what_is_found_of_the_whole_stands_at_its_first_part(tmp_path: Path) -> None:
    names = ["a", "b", "c", "d"]
    text = "services:\n" + "".join(
        f"  {name}:\n    image: {name}\n    environment: {{NEXT_URL: 'http://{to}'}}\n"
        for name, to in zip(names, [*names[1:], "a"], strict=True)
    )
    report = report_of(tmp_path, {"compose.yaml": text}, "SH107")
    assert found(report) == [("SH107", "compose.yaml:2")]


def test_names_that_the_model_cannot_have_are_spelled_otherwise(tmp_path: Path) -> None:
    text = "services:\n  gateway:\n    image: a\n    environment: {NEXT_URL: 'http://1_B:80'}\n"
    other = f"  1_B:\n    image: b\n    hostname: {'x' * 50}\n    environment: {{NEXT_URL: 'http://gateway'}}\n"
    report = report_of(tmp_path, {"compose.yaml": text + other}, "SH102")
    assert [finding.message for finding in report.findings] == [
        "services call each other in a circle: gateway-service → s-1-b → gateway-service"
    ]


@pytest.mark.parametrize(
    ("port", "bound"),
    [
        ("6379:6379", "127.0.0.1:6379:6379"),
        ("16379:6379", "127.0.0.1:16379:6379"),
        ("0.0.0.0:6379:6379", "127.0.0.1:6379:6379"),
        ("6379", "127.0.0.1::6379"),
        ("{published: 6379, target: 6379}", "host_ip: 127.0.0.1"),
    ],
)
def test_a_port_is_shut_as_it_is_spelled(tmp_path: Path, port: str, bound: str) -> None:
    text = ENGINE.replace("IMAGE", "redis:8").replace("PORT", f'"{port}"' if port[0] != "{" else port)
    (finding,) = report_of(tmp_path, {"compose.yaml": text}, "SH411").findings
    assert finding.help == f"take the port out, or bind it to the machine itself: {bound}"
    mended = port.replace("}", f", {bound}}}") if port[0] == "{" else f'"{bound}"'
    text = ENGINE.replace("IMAGE", "redis:8").replace("PORT", mended)
    assert report_of(tmp_path / "mended", {"compose.yaml": text}, "SH411").findings == ()
