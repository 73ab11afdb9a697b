"""The pytest plugin, as a project sees it: in a folder of its own, with nothing but a declaration and a test."""

import tomllib
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PLUGINS = ("-p", "pytest_asyncio.plugin", "-p", "shoal.testing.plugin")
"""All that a run needs; others that are installed here would be loaded for seconds."""

SERVICE = """
from dataclasses import dataclass
from shoal import Service, Settings, System, anyone

@dataclass(frozen=True)
class Stamp:
    text: str

class DeskSettings(Settings, frozen=True, kw_only=True):
    mode: str = "plain"

desk = Service("desk", settings=DeskSettings)

@desk.provide
def stamp() -> Stamp:
    return Stamp("real")

@desk.get("/stamp", access=anyone)
async def show(stamp: Stamp, settings: DeskSettings) -> list[str]:
    return [stamp.text, settings.mode]

system = System("sys", services=[desk])
"""
INI = "[tool.pytest.ini_options]\nasyncio_mode='auto'\nasyncio_default_fixture_loop_scope='function'\n"


@pytest.fixture(name="project")
def _project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyprojecttoml(f"[tool.shoal]\nsystem = 'desk_app:system'\n{INI}")
    pytester.makepyfile(desk_app=SERVICE)
    return pytester


def run(project: pytest.Pytester, **outcomes: int) -> pytest.RunResult:
    result = project.runpytest_inprocess(*PLUGINS, "--import-mode=importlib", "-W", "error")
    result.assert_outcomes(**outcomes)
    return result


def test_a_test_asks_for_the_system_and_gets_a_running_one(project: pytest.Pytester) -> None:
    project.makepyfile("""
        async def test_it(system):
            assert (await system.get("/stamp")).json() == ["real", "plain"]
    """)
    run(project, passed=1)


def test_a_project_overrides_values_and_environment(project: pytest.Pytester) -> None:
    project.makeconftest("""
        import pytest
        from desk_app import Stamp

        @pytest.fixture
        def system_overrides():
            return {Stamp: Stamp("fake")}

        @pytest.fixture
        def system_environ():
            return {"DESK__MODE": "odd"}
    """)
    project.syspathinsert()
    project.makepyfile("""
        async def test_it(system):
            assert (await system.get("/stamp")).json() == ["fake", "odd"]
    """)
    run(project, passed=1)


def test_a_project_names_another_system(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import pytest
        from shoal import Service, System, anyone

        other = Service("other")

        @other.get("/other", access=anyone)
        async def show() -> str:
            return "other"

        @pytest.fixture(scope="session")
        def system_declaration():
            return System("others", services=[other])

        async def test_it(system):
            assert (await system.get("/other")).json() == "other"
            assert (await system.get("/stamp")).status == 404
    """)
    run(project, passed=1)


def test_each_test_gets_a_system_of_its_own(project: pytest.Pytester) -> None:
    project.makepyfile("""
        seen = []

        async def test_one(system):
            seen.append(system)

        async def test_two(system):
            assert system is not seen[0]
    """)
    run(project, passed=2)


def test_a_system_that_is_not_there_is_told_with_its_remedy(project: pytest.Pytester) -> None:
    project.makepyprojecttoml(f"[tool.shoal]\nsystem = 'desk_app:sistem'\n{INI}")
    project.makepyfile("async def test_it(system): ...")
    run(project, errors=1).stdout.fnmatch_lines(["*desk_app:sistem is no System*", "*hint: desk_app has: system*"])


def test_a_system_that_cannot_start_is_told_by_its_variable(project: pytest.Pytester) -> None:
    project.makepyfile(desk_app=SERVICE.replace('mode: str = "plain"', "mode: str"))
    project.makepyfile("async def test_it(system): ...")
    run(project, errors=1).stdout.fnmatch_lines(["*DESK__MODE is not set*"])


def test_fixtures_explain_themselves(project: pytest.Pytester) -> None:
    result = project.runpytest_inprocess(*PLUGINS, "--fixtures", "-W", "error")
    result.stdout.fnmatch_lines(["*system -- *", "*on the reference drivers*", "*live*session*"])


def test_the_plugin_is_loaded_by_its_entry_point() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"shoal": "shoal.testing.plugin"}
