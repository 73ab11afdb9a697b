"""Several files and services of Compose that say one thing together: what counts where they differ."""

from pathlib import Path

import pytest

from tests.check.projects import found, report_of, written

ENGINE = "services:\n  db:\n    image: postgres:18\n    ports: ['5432:5432']\n"


@pytest.mark.parametrize(
    ("override", "open_"),
    [
        ("services:\n  db:\n    restart: always\n    image: postgres:17\n", True),
        ("services:\n  db:\n    image: postgres:18\n    ports: !reset []\n", False),
        ("services:\n  db:\n    image: postgres:18\n    ports: !override ['127.0.0.1:5432:5432']\n", False),
        ("services:\n  web: {image: acme/web}\n  db: !reset null\n", False),
        ("services:\n  db: !override\n    image: postgres:18\n", False),
    ],
)
def test_a_later_file_takes_back_what_an_earlier_one_says(tmp_path: Path, override: str, open_: bool) -> None:
    files = {"compose.yaml": ENGINE, "compose.override.yaml": override}
    assert found(report_of(tmp_path, files, "SH411")) == ([("SH411", "compose.yaml:4")] if open_ else [])


COMMON = """\
services:
  base:
    image: postgres:18
    env_file: base.env
    ports: ['5432:5432']
  further:
    extends: base
"""


@pytest.mark.parametrize("service", ["base", "further"])
def test_a_service_extends_one_of_another_file(tmp_path: Path, service: str) -> None:
    written(tmp_path, {"common/base.yml": COMMON})
    text = f"services:\n  stock:\n    extends: {{file: common/base.yml, service: {service}}}\n"
    report = report_of(tmp_path, {"compose.yaml": text}, "SH411", "SH701")
    assert found(report) == [("SH411", "common/base.yml:5"), ("SH701", "compose.yaml:2")]
    assert report.services == 0  # a store is no service


@pytest.mark.parametrize("file", ["none.yml", "../other.yml", "broken.yml", "'\\0'", "common/base.yml"])
def test_what_is_extended_and_cannot_be_found_says_nothing(tmp_path: Path, file: str) -> None:
    written(tmp_path, {"broken.yml": "services: [", "common/base.yml": "services:\n  x: {image: postgres:12}\n"})
    text = f"services:\n  stock:\n    image: acme/stock\n    extends: {{file: {file}, service: base}}\n"
    assert report_of(tmp_path, {"compose.yaml": text}, "SH411", "SH002").services == 1


def test_a_comment_in_a_file_that_is_extended_lets_a_finding_pass(tmp_path: Path) -> None:
    text = COMMON.replace("'5432:5432']", "'5432:5432']  # shoal: ignore[SH411] for developers")
    written(tmp_path, {"common/base.yml": text})
    compose = "services:\n  stock:\n    extends: {file: common/base.yml, service: base}\n"
    report = report_of(tmp_path, {"compose.yaml": compose}, "SH411")
    assert [(f.where.file, f.reason) for f in report.ignored] == [("common/base.yml", "for developers")]


WAYS = """\
services:
  web:
    image: acme/web
    env_file: [WEB.env]
    environment: {NEXT_URL: http://next}
  next:
    image: acme/next
    environment: {NEXT_URL: http://web}
"""


def test_what_a_service_sets_itself_comes_before_what_files_say(tmp_path: Path) -> None:
    written(tmp_path, {"web.env": "NEXT_URL=http://nobody\n"})
    changed = "services:\n  web:\n    env_file: web.env\n"
    files = {"compose.yaml": WAYS.replace("WEB.env", "web.env"), "compose.override.yaml": changed}
    assert found(report_of(tmp_path, files, "SH102")) == [("SH102", "compose.yaml:8")]


@pytest.mark.parametrize("name", ["none.env", ".", "../.env", '"\\0"', "x" * 300])
def test_a_file_of_variables_that_cannot_be_read_says_nothing(tmp_path: Path, name: str) -> None:
    files = {"compose.yaml": WAYS.replace("WEB.env", name)}
    assert found(report_of(tmp_path, files, "SH102")) == [("SH102", "compose.yaml:8")]


@pytest.mark.parametrize(
    ("include", "lines"),
    [
        ("${PART}/compose.yaml", []),
        ("${UNKNOWN}/compose.yaml", []),
        ("oci://registry.example/acme/users:1", []),
        ("https://git.example/acme/users.git", []),
        ("git@git.example:acme/users.git", []),
        ("none/compose.yaml", [2]),
    ],
)
def test_an_included_file_may_be_somewhere_else(tmp_path: Path, include: str, lines: list[int]) -> None:
    written(tmp_path, {"users/compose.yaml": ENGINE, ".env": "PART=users\n"})
    report = report_of(
        tmp_path, {"compose.yaml": f"include:\n  - {include}\nservices: {{a: {{image: a}}}}\n"}, "SH002", "SH411"
    )
    assert [f.where.line for f in report.findings if f.code == "SH002"] == lines
    assert ("SH411", "users/compose.yaml:4") in found(report) or "PART" not in include
