"""Secrets in files of others: which are found, and that no report shows one, whatever it is about."""

from pathlib import Path

import pytest

from shoal.check import baseline
from shoal.check.importing.reading import documents
from shoal.check.importing.table import facts
from shoal.cli.checking.check import Check
from shoal.operating.where import Project
from tests.check.projects import found, report_of, written


@pytest.mark.parametrize(
    ("value", "secret"),
    [
        ("CACHE: 'redis://:hunter2@cache:6379'", True),
        ("DB: 'jdbc:mysql://db/x?user=me&password=hunter2'", True),
        ("DB: 'jdbc:mysql://db/x?user=me&password=${WORD}'", False),
        ("DB: 'postgres://${ME:-me}:hunter2@${HOST:-db}/x'", True),  # of what is not variable
        ("DB: 'postgres://me:${WORD:-hunter2}@db/x'", False),
        ("DB: 'postgres://me:$WORD@db/x'", False),
        ("DB: '${ALL:-Server=db;Password=hunter2}'", False),
        ("RABBITMQ_DEFAULT_PASS: hunter2", True),
        ("SECRET_KEY_BASE: hunter2", True),
        ("BYPASS: hunter2", False),
    ],
)
def test_what_compose_says(tmp_path: Path, value: str, secret: bool) -> None:
    text = f"services:\n  users:\n    image: acme/users\n    environment:\n      {value}\n"
    assert found(report_of(tmp_path, {"compose.yaml": text}, "SH410")) == (
        [("SH410", "compose.yaml:5")] if secret else []
    )


@pytest.mark.parametrize(
    ("command", "secret"),
    [
        ("redis-server --requirepass hunter2 --port 1", "--requirepass"),
        ("[serve, --db-password=hunter2]", "--db-password"),
        ("[serve, --db-password, hunter2]", "--db-password"),
        ("[sh, -c, 'serve --token \"hunter2\"']", "--token"),
        ("[serve, 'postgres://me:hunter2@db/x']", "command"),
        ("[serve, '--db=postgres://me:hunter2@db/x']", "command"),
        ("redis-server --requirepass ${WORD:-hunter2}", ""),
        ("redis-server --requirepass $$WORD", ""),
        ("[serve, --db-password, --verbose]", ""),
        ("[serve, --no-password, hunter2]", ""),
        ("[serve, --password-file=/run/secrets/word]", ""),
        ("[serve, --password]", ""),
    ],
)
def test_what_commands_say(tmp_path: Path, command: str, secret: str) -> None:
    text = f"services:\n  users:\n    image: acme/users\n    command: {command}\n"
    report = report_of(tmp_path, {"compose.yaml": text}, "SH410")
    assert [f.message.partition(": ")[2] for f in report.findings] == ([f"{secret} of users"] if secret else [])
    assert all(finding.hidden and finding.where.line == 4 for finding in report.findings)


POD = """\
apiVersion: v1
kind: Pod
metadata: {name: users}
spec:
  containers:
    - name: users
      image: acme/users
      env:
        - {name: WORD, valueFrom: {secretKeyRef: {name: SECRET, key: word}}}
        - {name: DB, value: 'postgres://me:$(WORD)@db/x'}
        - {name: SAID, value: 'postgres://me:$$(WORD)@db/x'}
---
apiVersion: v1
kind: Secret
metadata: {name: known}
stringData: {word: hunter2}
"""


@pytest.mark.parametrize("secret", ["known", "unknown"])
def test_what_is_put_together_of_a_secret_stands_there_and_not_here(tmp_path: Path, secret: str) -> None:
    text = POD.replace("SECRET", secret)
    assert found(report_of(tmp_path, {"pod.yaml": text}, "SH410")) == [("SH410", "pod.yaml:14")]


def test_what_variables_of_a_container_say(tmp_path: Path) -> None:
    (unit,) = facts(list(documents("pod.yaml", POD.replace("SECRET", "known"))), lambda _: None).units
    assert {setting.name: setting.value for setting in unit.containers[0].settings} == {
        "WORD": "hunter2",
        "DB": "postgres://me:hunter2@db/x",
        "SAID": "postgres://me:$$(WORD)@db/x",
    }


def test_what_prepares_a_pod_is_told_secrets_too(tmp_path: Path) -> None:
    text = POD.partition("---")[0].replace("  containers:", "  initContainers: [{env: ENV}]\n  containers:")
    text = text.replace("ENV", "[{name: API_KEY, value: hunter2}]")
    (finding,) = report_of(tmp_path, {"pod.yaml": text}, "SH410").findings
    assert (finding.where.line, finding.message) == (5, "a secret stands in the file: API_KEY of users")


def test_secrets_of_one_name_in_two_namespaces_are_two(tmp_path: Path) -> None:
    text = POD.replace("{name: known}", "{name: known, namespace: other}")
    report = report_of(tmp_path, {"a.yaml": POD, "b.yaml": text}, "SH410")
    assert found(report) == [("SH410", "a.yaml:14"), ("SH410", "b.yaml:14")]


def test_one_place_that_several_share_is_one_finding(tmp_path: Path) -> None:
    text = "x-all: &all\n  image: acme/all\n  environment: {API_KEY: hunter2}\nservices:\n"
    text += "".join(f"  {name}:\n    <<: *all\n" for name in ("a", "b", "c"))
    (finding,) = report_of(tmp_path, {"compose.yaml": text}, "SH410").findings
    assert finding.message == "a secret stands in the file: API_KEY of a, b and c"


SHOWN = """\
{"services": {"a": {"image": "a",
  "environment": {"X": "\\ud83d\\ude00", "API_KEY": "hunter2", "DB_PASSWORD": "hunter3", "NEXT_URL": "http://b"}},
 "b": {"image": "b", "command": ["--token", "hunter4", "http://a"]}}}
"""
OBJECTS = """\
{"kind": "List", "apiVersion": "v1", "items": [
 {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "s"}, "data": {"word": "aHVudGVyNQ=="}}, {"kind": "Pod",
  "apiVersion": "v1", "metadata": {"name": "p"}, "spec": {"containers": [{"image": "postgres:12", "env": [
   {"name": "PGPASSWORD_X_TOKEN", "value": "hunter6"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key":
   "word"}}}]}]}}]}
"""


@pytest.mark.parametrize("only", ["", "SH102", "SH410", "SH701"])
def test_no_line_that_is_shown_or_kept_holds_a_secret(tmp_path: Path, only: str) -> None:
    written(tmp_path, {"compose.json": SHOWN, "k8s.json": OBJECTS})
    check = Check(Project(root=tmp_path), only=(only,) if only else (), paths=("compose.json", "k8s.json"))
    report = check.run()
    assert report.findings
    shown = check.show(report, "full", lambda text, _: text)
    kept = baseline.spell(baseline.made(report.findings, check.texts))
    for text in (shown, kept):
        assert "hunter" not in text
        assert "aHVud" not in text
    assert "compose.json:2" in shown or only == "SH701"
    assert check.files["compose.json"] == SHOWN  # what edits files has them as they are


def test_lines_are_covered_where_they_hold_a_secret_and_nowhere_else(tmp_path: Path) -> None:
    written(tmp_path, {"compose.json": SHOWN})
    check = Check(Project(root=tmp_path), only=("SH102",), paths=("compose.json",))
    (finding,) = check.run().findings
    line = check.texts["compose.json"].split("\n")[finding.where.line - 1]
    assert line[finding.where.column - 1 :].startswith('"http://b"')
    assert '"API_KEY": *********, "DB_PASSWORD": *********, "NEXT_URL": "http://b"' in line
    assert '"--token", *********, "http://a"' in check.texts["compose.json"]


def test_a_block_of_many_lines_is_covered_to_its_end(tmp_path: Path) -> None:
    text = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  word: |\n    hunter\n    more\n  none: x\n"
    )
    written(tmp_path, {"secret.yaml": text})
    check = Check(Project(root=tmp_path), only=("SH410",), paths=("secret.yaml",))
    check.run()
    assert check.texts["secret.yaml"] == text.replace("hunter", "******").replace("more", "****").replace(
        "none: x", "none: *"
    ).replace("word: |", "word: *")


@pytest.mark.parametrize(
    "broken",
    [
        "  - DB_PASSWORD='hunter2",
        '  DB_PASSWORD: "hunter2',
        '  - name: DB_PASSWORD\n    value: "hunter2',
        '  DB: "postgres://me:hunter2@db',
        "  - {name: API_KEY, value: 'hunter2}",
    ],
)
def test_a_line_that_cannot_be_parsed_shows_no_secret(tmp_path: Path, broken: str) -> None:
    text = f"services:\n  image: a\n{broken}\n"
    written(tmp_path, {"compose.yaml": text})
    check = Check(Project(root=tmp_path), only=("SH002",), paths=("compose.yaml",))
    assert check.run().findings
    assert "hunter2" not in check.texts["compose.yaml"]
    assert check.texts["compose.yaml"].startswith("services:\n  image: a\n  ")


def test_a_file_of_no_kind_shows_no_secret(tmp_path: Path) -> None:
    written(tmp_path, {"prod.env": "DB_PASSWORD=hunter2\n"})
    check = Check(Project(root=tmp_path), only=("SH002",), paths=("prod.env",))
    assert "hunter2" not in check.show(check.run(), "full", lambda text, _: text)


def test_a_password_is_not_taken_for_the_name_of_a_database(tmp_path: Path) -> None:
    text = "services:\n" + "".join(
        f"  {name}:\n    image: {name}\n    environment: {{DB: 'postgres://me:4/hunter2@db.example/x'}}\n"
        for name in ("a", "b")
    )
    report = report_of(tmp_path, {"compose.yaml": text}, "SH201")
    assert report.findings == ()
