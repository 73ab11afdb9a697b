"""What would grow or wait without an end comes to one, and what is deep ends no program."""

import os
from pathlib import Path

import pytest

from shoal.check.importing.interpolation import LONGEST, variables
from shoal.check.importing.reading import documents
from shoal.check.importing.table import facts
from shoal.cli.checking.check import Check
from shoal.operating.where import Project
from tests.check.projects import found, report_of, written

LONG = "a1" * 2**17
"""Of which every character may begin a word."""


def test_variables_that_hold_each_other_end() -> None:
    text = "a0=" + "x" * 100 + "\n" + "".join(f"a{n}=$a{n - 1}$a{n - 1}\n" for n in range(1, 60))
    found_ = variables(text)
    assert found_["a1"] == "x" * 200
    assert max(map(len, found_.values())) <= 2 * LONGEST
    many = "a=" + "x" * (LONGEST - 1) + "\n" + "".join(f"b{n}=$a\n" for n in range(3000))
    assert sum(map(len, variables(many).values())) < 2 * 2**22


def test_variables_of_a_container_that_hold_each_other_end() -> None:
    env = "\n".join(f"      - {{name: A{n}, value: '{f'$(A{n - 1})' * 10}'}}" for n in range(1, 40))
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - image: a\n    env:\n"
    text += f"      - {{name: A0, value: xxxxxxxxxx}}\n{env}\n"
    (unit,) = facts(list(documents("pod.yaml", text)), lambda _: None).units
    values = {setting.name: setting.value or "" for setting in unit.containers[0].settings}
    assert values["A1"] == "x" * 100
    assert max(map(len, values.values())) <= 2 * LONGEST


@pytest.mark.parametrize("value", [LONG, f"{LONG}:{LONG}", f"A={' ' * 2**20}x", "://" * 2**18, "x=" * 2**18])
def test_long_values_are_read_once(tmp_path: Path, value: str) -> None:
    written(tmp_path, {"x.env": f"X={value[: 2**19]}\nY={' x' * 2**17}x"})
    compose = "services:\n  a:\n    image: a\n    env_file: x.env\n    command: VALUE\n    environment: {X: VALUE}\n"
    pod = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {X: VALUE}\n"
    files = {"compose.yaml": compose.replace("VALUE", f"'{value}'"), "pod.yaml": pod.replace("VALUE", f"'{value}'")}
    report = report_of(tmp_path, files, "SH410", "SH701")
    assert found(report) == [("SH701", "compose.yaml:2")]


def test_lists_within_lists_are_read_however_deep(tmp_path: Path) -> None:
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{image: postgres:12}]}}"
    lines = [f"a0: &a0 {pod}"]
    for n in range(1, 60):
        inner = f"*a{n - 1}"
        for _ in range(30):
            inner = f"{{kind: List, items: [{inner}]}}"
        lines.append(f"a{n}: &a{n} {inner}")
    text = "apiVersion: v1\nkind: List\n" + "\n".join(lines) + "\nitems: [*a59]\n"
    report = report_of(tmp_path, {"list.yaml": text}, "SH409", "SH002")
    assert found(report) == [("SH409", "list.yaml:3")]


def test_what_is_no_file_of_a_folder_is_passed_over(tmp_path: Path) -> None:
    written(tmp_path, {"k8s/pod.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"})
    os.mkfifo(tmp_path / "k8s/pipe.yaml")  # nobody writes into it, ever
    (tmp_path / "k8s/again").symlink_to(tmp_path / "k8s", target_is_directory=True)
    (tmp_path / "k8s/self.yaml").symlink_to(tmp_path / "k8s/self.yaml")
    (tmp_path / "k8s/big.yaml").write_text("# services\n" + "x" * 9 * 2**20)
    (tmp_path / "k8s/binary.yaml").write_bytes(b"services\x00\xff\xfe" * 9)
    check = Check(Project(root=tmp_path), only=("SH002",), paths=("k8s",))
    report = check.run()
    assert [(f.where.file, f.message[:14]) for f in report.findings] == [("k8s/self.yaml", "cannot be read")]
    assert sorted(check.passed) == ["k8s/big.yaml", "k8s/binary.yaml"]


TSCONFIG = '{\n  // what is compiled\n  "include": ["src/**"], "compilerOptions": {"paths": {"@/*": ["./*"],}},\n}\n'


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("tsconfig.json", TSCONFIG, False),
        ("notes.yaml", "title: [services\n", False),
        ("values.yaml", "image: {{ .Values.services }}\n", False),
        ("compose.yaml", "services: [\n", True),
        ("compose.yaml", "\ufeffservices: [\n", True),
        ("api.json", '{"paths": {}, "openapi": "3.1.0"', True),
        ("pod.yaml", "apiVersion: v1\nkind: {{ .Kind }}\n", True),
    ],
)
def test_what_is_not_meant_for_us_may_be_broken(tmp_path: Path, name: str, text: str, wrong: bool) -> None:
    written(tmp_path, {f"x/{name}": text, "x/compose.yml": "services:\n  a: {image: a}\n"})
    report = Check(Project(root=tmp_path), only=("SH002",), paths=("x",)).run()
    assert bool(report.findings) is wrong


def test_a_file_as_shells_of_windows_write_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_bytes("services:\r\n  db: {image: 'postgres:12'}\r\n".encode("utf-16"))
    report = Check(Project(root=tmp_path), only=("SH409",), paths=("compose.yaml",)).run()
    assert found(report) == [("SH409", "compose.yaml:2")]
