"""A system that is not where it is looked for: what is said then, and that a mistake in ``[tool.shoal]`` is named."""

from pathlib import Path

import pytest

from shoal.operating import looking
from tests.check.projects import written
from tests.cli.run import Run

SYSTEM = 'from shoal import Service, System\n\nbank: System = System("bank", services=[Service("rates")])\n'


@pytest.fixture(name="run")
def _run(run: Run) -> Run:
    def joined(*words: str) -> tuple[int, str, str]:
        code, out, err = run(*words)
        return code, out, " ".join(err.split())

    return joined


def hint(root: Path, files: dict[str, str], wanted: str = "system:system") -> str:
    return looking.hint(wanted, written(root, files))


def test_a_module_below_src_is_found_and_how_it_can_be_imported(run: Run, tmp_path: Path) -> None:
    written(tmp_path, {"src/acme/__init__.py": "", "src/acme/main.py": SYSTEM, "src/acme/tests/a.py": SYSTEM})
    code, _, err = run("check")
    assert code == 2
    assert "src/acme/main.py declares one; install the project, so that it can be imported: pip install -e ." in err
    assert "--system acme.main:bank" in err


def test_one_that_is_named_and_only_not_installed_is_not_to_be_named_again(tmp_path: Path) -> None:
    said = hint(tmp_path, {"src/acme/main.py": SYSTEM}, "acme.main:bank")
    assert said.endswith("pip install -e .")


def test_a_package_beside_is_named(run: Run, tmp_path: Path) -> None:
    written(tmp_path, {"acme/__init__.py": SYSTEM, "acme/other.py": "x = 1\n"})
    assert run("describe")[2].endswith(
        'name it: --system acme:bank, or [tool.shoal] system = "acme:bank" in pyproject.toml'
    )
    assert run("--system", "acme:bank", "check", "--fail-on", "never")[0] == 0


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('system = "acme:bank"\n', "the file itself"),
        ('[shoal]\nsystem = "acme:bank"\n', "[shoal]"),
        ('[tool.Shoal]\nsystem = "acme:bank"\n', "[tool.Shoal]"),
        ('[project]\nsystem = "acme:bank"\n', "[project]"),
    ],
)
def test_a_name_in_the_wrong_table_is_seen(tmp_path: Path, text: str, place: str) -> None:
    said = hint(tmp_path, {"pyproject.toml": text, "acme.py": SYSTEM})
    assert said == f'pyproject.toml says system = "acme:bank" in {place}; it belongs in [tool.shoal]'


@pytest.mark.parametrize("path", ["tests/acme.py", ".old/acme.py", "src/a/build/acme.py", "test_acme.py"])
def test_what_is_no_place_for_a_system_is_not_named(tmp_path: Path, path: str) -> None:
    assert hint(tmp_path, {path: SYSTEM, "main.py": "# System(\nmine = other(System(1))\n"}).startswith("name it with")


def test_a_file_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "aaa.py").mkdir()
    (tmp_path / "aab.py").write_bytes(b"\xff\xfe")
    assert hint(tmp_path, {"acme.py": SYSTEM}).startswith("acme.py declares one")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[tool.shoal]\nsytem = "acme:bank"\n', "sytem is read by nobody hint: did you mean system?"),
        ('[tool.shoal]\ncolour = "red"\n', "colour is read by nobody hint: it may say system, where the system is"),
        ("[tool.shoal]\nsystem = 3\n", "system = 3 is no text hint: it may say where the system is"),
        ('[tool.shoal.check]\nsystem = "acme:bank"\n', "there is no key 'system' hint: system belongs in [tool.shoal]"),
        ("[tool.shoal.check]\nfailOn = 'error'\n", "there is no key 'failOn' hint: did you mean fail-on?"),
        ("[tool.shoal.check]\ncolour = 3\n", "there is no key 'colour' hint: its keys are: enable,"),
        ('[tool]\nshoal = "acme:bank"\n', "shoal = 'acme:bank' is no table hint: write [tool.shoal]"),
    ],
)
def test_a_mistake_in_the_table_is_named_by_every_command(run: Run, tmp_path: Path, text: str, said: str) -> None:
    written(tmp_path, {"pyproject.toml": text, "acme.py": SYSTEM})
    code, out, err = run("check")
    assert (code, out, said in err) == (2, "", True), err
    if "check" not in text:
        code, out, err = run("describe")
        assert (code, out, said in err) == (1, "", True), err
