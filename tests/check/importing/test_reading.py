"""Files as they come: broken, endless, huge, of no kind, templates; each is an error with a place, or passed over."""

import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.check.importing.reading import documents
from shoal.check.importing.table import facts
from shoal.cli.checking.check import Check
from shoal.errors import DeclarationError, HostError
from shoal.operating.where import Project
from tests.check.projects import found, report_of, written

GOOD = "services:\n  web:\n    image: acme/web\n"
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("services:\n  web: [\n", 3, "this is no YAML: "),
        ("services:\n\tweb: {}\n", 2, "this is no YAML: "),
        ("services: \x00\n", 1, "this is no YAML: "),
        ("services: {{ x }}\n\x00\n", 2, "this is no YAML: "),
        ("services: &all\n  web: *all\n", 2, "&all holds itself"),
        ("services:\n  web: *none\n", 2, "*none refers to an anchor that is not there"),
        (BOMB, 6, "this holds more than 500000 values"),
        ("[" * 200 + "]" * 200, 1, "more than 100 lists and maps lie within each other"),
        ("# " + "x" * 9 * 2**20, 0, "a file of 9 MiB is more than the 8 MiB that are read"),
        ("services:\n  web:\n    image: {{ .Values.image }}\n", 3, "this is a template"),
        ("{{- if .Values.on }}\nkind: Service\n{{- end }}\n", 1, "this is a template"),
        ("some: thing\n", 1, "this describes no system"),
        ("", 1, "this describes no system"),
    ],
)
def test_what_cannot_be_read_is_a_finding_and_the_rest_is_read(tmp_path: Path, text: str, line: int, said: str) -> None:
    report = report_of(tmp_path, {"bad.yaml": text, "compose.yaml": GOOD}, "SH002", "SH701")
    assert [code for code, _ in found(report)] == ["SH002", "SH701"]
    assert report.findings[0].where.line == line
    assert report.findings[0].message.startswith(said)
    assert report.services == 1


def test_what_is_repeated_by_aliases_and_merges_is_read(tmp_path: Path) -> None:
    text = """\
x-usual: &usual
  image: acme/usual
  environment: &env
    NEXT_URL: http://web
services:
  web:
    <<: *usual
    environment:
      <<: *env
      NEXT_URL: http://next
  next:
    <<: *usual
"""
    assert found(report_of(tmp_path, {"compose.yaml": text}, "SH102")) == [("SH102", "compose.yaml:4")]


@pytest.mark.parametrize("before", ["# \u2028 \x85 \u2029\r\n", "x-a: '\u2028'\n", "\ufeff# from an editor\n", ""])
def test_places_are_those_of_editors(tmp_path: Path, before: str) -> None:
    text = f"{before}services:\n  db: {{x-a: '\u2028', image: 'postgres:12'}}\n"
    (finding,) = report_of(tmp_path, {"compose.yaml": text}, "SH409").findings
    line = text.split("\n")[finding.where.line - 1]
    assert line[finding.where.column - 1 : finding.where.end_column - 1] == "'postgres:12'"


def test_a_file_that_is_given_and_included_is_read_once(tmp_path: Path) -> None:
    engine = "services:\n  db:\n    image: postgres:12\n"
    written(tmp_path, {"y/compose.yaml": "include: [part/compose.yaml]\n", "y/part/compose.yaml": engine, "p/a": ""})
    for folder, path in ((tmp_path / "p", "../y"), (tmp_path, "y"), (tmp_path, str(tmp_path / "y"))):
        report = Check(Project(root=folder), only=("SH409",), paths=(path,)).run()
        assert [finding.where.line for finding in report.findings] == [3]


def test_a_name_of_many_lines_is_told_on_one(tmp_path: Path) -> None:
    text = 'services:\n  "a\\n::error::b":\n    image: postgres:18\n    ports: ["5432:5432"]\n'
    (finding,) = report_of(tmp_path, {"compose.yaml": text}, "SH411").findings
    assert finding.message == "the store a ::error::b can be reached from outside: 5432:5432"


def test_a_folder_is_looked_through(tmp_path: Path) -> None:
    chart = {"chart/Chart.yaml": "name: x\n", "chart/templates/a.yaml": "{{ x }}", "k8s/notes.yaml": "a: 1\n"}
    others = {"node_modules/x/compose.yaml": "services: [", "docker-compose.prod.yml": "services: ["}
    files = {"docker-compose.yml": GOOD, "docker-compose.override.yml": GOOD, **chart, **others}
    written(tmp_path, files)
    check = Check(Project(root=tmp_path), only=("SH002",), paths=(".",))
    report = check.run()
    assert [(f.severity, f.where.file, f.message[:24]) for f in report.findings] == [
        ("warning", "chart/Chart.yaml", "this is a chart of Helm,")
    ]
    assert sorted(check.passed) == ["docker-compose.prod.yml", "k8s/notes.yaml"]
    assert report.files == 2


def test_no_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(HostError, match="needs the library PyYAML") as raised:
        list(documents("compose.yaml", GOOD))
    assert "shoal[import]" in raised.value.hint


WORDS = st.sampled_from(
    [
        "services",
        "image",
        "ports",
        "environment",
        "kind",
        "apiVersion",
        "Deployment",
        "spec",
        "template",
        "containers",
        "env",
        "name",
        "value",
        "data",
        "Secret",
        "openapi",
        "paths",
        "get",
        "security",
        "asyncapi",
        "channels",
        "messages",
        "$ref",
        "#/channels/a",
        "depends_on",
        "metadata",
        "selector",
        "items",
        "List",
    ]
)
TREES = st.recursive(
    WORDS | st.integers() | st.none() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=30,
)


@settings(max_examples=300, deadline=None)
@given(TREES)
def test_any_tree_of_known_words_tells_something_or_nothing(tree: object) -> None:
    found_ = list(documents("any.yaml", json.dumps(tree)))
    facts(found_, lambda _: None)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab:-[]{}&*!|>#'\"\n\t ,?%@`<", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found_ = list(documents("any.yaml", text))
    except DeclarationError as error:
        said = error.where
    else:
        said = "any.yaml:1"
        assert len(found_) <= text.count("\n") + 1
    assert re.fullmatch(r"any\.yaml:\d+", said)
