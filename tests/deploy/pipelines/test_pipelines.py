"""The pipelines: what they may, what they pin, and what their shell does with an answer of `shoal affected`."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from shoal.cli.program import main
from shoal.deploy.affected.answer import Affected, Answer, Reason
from shoal.deploy.pipelines.github import compile_github
from shoal.deploy.pipelines.gitlab import compile_gitlab
from shoal.deploy.pipelines.wish import Wish
from shoal.errors import DeclarationError

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT.parent / "shared" / "schemas"
WISH = Wish(system="shop", registry="ghcr.io/example", package=True, cost="targets/aws-production.toml")
GITHUB = {artifact.path: artifact.text for artifact in compile_github(WISH)}
GITLAB = {artifact.path: artifact.text for artifact in compile_gitlab(WISH)}
needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed here")

REASON = Reason(kind="own", path="a", told="is made of a", needs=("test",))
ANSWER = Answer(
    since="abc",
    test=("orders", "mail"),
    build=("orders",),
    services=(
        Affected(service="orders", folder="shop/orders", needs=("test", "build", "deploy"), reasons=(REASON,)),
        Affected(service="mail", needs=("test",), reasons=(REASON,)),
        Affected(service="web", folder="shop/web", needs=("deploy",), reasons=(REASON,)),
    ),
)
SYSTEM = {"services": [{"name": name} for name in ("orders", "mail", "web")]}


def read(text: str) -> Any:
    return yaml.safe_load(text)


def workflows() -> dict[str, Any]:
    return {path: read(text) for path, text in GITHUB.items() if path.startswith(".github")}


def test_every_action_of_others_is_pinned_with_its_version() -> None:
    used = [line for text in GITHUB.values() for line in text.splitlines() if "uses:" in line]
    assert len(used) > 10
    for line in used:
        assert re.search(r"uses: (\./|[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)", line), line


def test_every_job_says_what_it_may_and_how_long_it_takes() -> None:
    for path, workflow in workflows().items():
        assert workflow["permissions"] == {}, path
        for name, job in workflow["jobs"].items():
            assert job["permissions"], name
            assert "uses" in job or job["timeout-minutes"] <= 30, name
            assert "write-all" not in json.dumps(job)
    written = [
        name
        for workflow in workflows().values()
        for name, job in workflow["jobs"].items()
        if job["permissions"].get("contents") == "write"
    ]
    assert written == ["staging", "production"]


def test_no_value_from_outside_stands_in_a_line_for_a_shell() -> None:
    for workflow in workflows().values():
        for job in workflow["jobs"].values():
            for step in job.get("steps", []):
                assert "${{" not in step.get("run", ""), step


def test_environments_come_one_after_the_other_and_need_what_was_built() -> None:
    jobs = workflows()[".github/workflows/services.yml"]["jobs"]
    assert jobs["staging"]["needs"] == ["affected", "service", "together"]
    assert jobs["production"]["needs"] == ["affected", "staging"]
    assert [jobs[name]["environment"] for name in ("staging", "production")] == ["staging", "production"]
    assert jobs["staging"]["concurrency"]["cancel-in-progress"] is False


@pytest.mark.parametrize(
    ("event", "last", "since"), [("push", "first", "first"), ("push", "", "given"), ("pull_request", "first", "given")]
)
def test_a_push_is_compared_with_the_last_that_succeeded(event: str, last: str, since: str, tmp_path: Path) -> None:
    def git(*words: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        return subprocess.run(["git", *who, *words], cwd=tmp_path, capture_output=True, text=True, check=True).stdout  # noqa: S603, S607

    git("init", "--quiet")
    git("commit", "--allow-empty", "--message", "one")
    first = git("rev-parse", "HEAD").strip()
    git("commit", "--allow-empty", "--message", "two")
    for name, answer in (("gh", first if last else ""), ("shoal", ""), ("jq", "")):
        (tmp_path / name).write_text(f'#!/bin/sh\necho "$@" >> {name}.txt\nprintf "%s" "{answer}"\n', "utf-8")
        (tmp_path / name).chmod(0o755)
    steps = workflows()[".github/workflows/services.yml"]["jobs"]["affected"]["steps"]
    (script,) = [step["run"] for step in steps if step.get("id") == "affected"]
    outputs = {name: str(tmp_path / name) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    path = f"{tmp_path}:{os.environ['PATH']}"
    told = {**outputs, "PATH": path, "SINCE": "given", "GITHUB_EVENT_NAME": event, "GITHUB_REF_NAME": "main"}
    subprocess.run(["bash", "-eo", "pipefail", "-c", script], cwd=tmp_path, env=told, check=True)  # noqa: S603, S607
    asked = (tmp_path / "shoal.txt").read_text("utf-8")
    assert f"affected --since {first if since == 'first' else since} -o json" in asked


def asked(since: str, folder: Path) -> str:
    """Run the lines of GitLab's question up to what it compares with."""
    script = "\n".join(line for line in read(GITLAB[".gitlab-ci.yml"])["affected"]["script"] if "since=" in line)
    told = {"PATH": os.environ["PATH"], "CI_MERGE_REQUEST_DIFF_BASE_SHA": since}
    words = ["bash", "-euc", f'{script}\necho "$since"']
    done = subprocess.run(words, cwd=folder, env=told, capture_output=True, text=True, check=True)  # noqa: S603
    return done.stdout.strip()


def test_on_gitlab_a_push_is_compared_with_what_was_built_last(tmp_path: Path) -> None:
    def commit(*words: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *who, "commit", "--quiet", "--allow-empty", *words], cwd=tmp_path, check=True)  # noqa: S603, S607
        head = ["git", "rev-parse", "HEAD"]
        return subprocess.run(head, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603

    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)  # noqa: S607
    first = commit("--message", "one")
    assert asked("", tmp_path) == 40 * "0"
    commit("--message", "Deploy to staging", "--trailer", f"Built: {first}")
    commit("--message", "Deploy to staging")
    commit("--message", "two")
    assert asked("", tmp_path) == first
    base = commit("--message", "three")
    assert asked(base, tmp_path) == base
    commit("--message", "Deploy to staging", "--trailer", f"Built: {40 * 'a'}")
    assert asked("", tmp_path) == 40 * "0"


def test_a_service_that_fails_holds_up_no_other() -> None:
    github = workflows()[".github/workflows/services.yml"]["jobs"]
    assert "needs.service.result == 'success'" not in github["staging"]["if"]
    assert "needs.staging.result == 'success'" in github["production"]["if"]
    _, jobs = yaml.safe_load_all(GITLAB["ci/service.yml"])
    (image,) = (job for job in jobs.values() if job.get("stage") == "image")
    assert [one["job"] for one in image["needs"]] == ["$[[ inputs.service ]]:test", "together"]
    environments = read(GITLAB["ci/environments.yml"])
    assert environments["staging"]["rules"][0]["when"] == "always"
    assert environments["production"]["needs"] == ["staging"]


@pytest.mark.parametrize("path", [path for path in GITHUB if path.startswith(".github")])
def test_what_is_run_is_bash(path: str, tmp_path: Path) -> None:
    for job in read(GITHUB[path])["jobs"].values():
        for step in job.get("steps", []):
            assert parsed(step.get("run", ""), tmp_path) == "", step


def test_on_gitlab_an_environment_builds_upon_the_commit_of_the_one_before(tmp_path: Path) -> None:
    """Each job of a pipeline starts at the pipeline's own commit; the second must push upon what the first pushed."""
    url, bare = "https://gitlab-ci-token:t@host/shop.git", tmp_path / "shop.git"
    told = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path), "CI_JOB_TOKEN": "t",
        "CI_SERVER_HOST": "host",
        "CI_COMMIT_SHA": "abc", "BUILD": "orders", "CI_PROJECT_PATH": "shop",
        "CI_PROJECT_URL": "https://host/shop", "CI_SERVER_URL": "https://host",
        "GIT_CONFIG_COUNT": "3", "GIT_CONFIG_KEY_0": f"url.{bare}.insteadOf", "GIT_CONFIG_VALUE_0": url,
        "GIT_CONFIG_KEY_1": "user.name", "GIT_CONFIG_VALUE_1": "a",
        "GIT_CONFIG_KEY_2": "user.email", "GIT_CONFIG_VALUE_2": "a@example.org",
    }  # fmt: skip

    def run(script: str, folder: Path) -> str:
        words = ["bash", "-euc", script]
        done = subprocess.run(words, cwd=folder, env=told, capture_output=True, text=True, check=False)  # noqa: S603
        assert done.returncode == 0, done.stderr
        return done.stdout

    for name, does in (("kustomize", 'echo "$@" >> kustomization.yaml'), ("cosign", "true")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n", "utf-8")
        (tmp_path / name).chmod(0o755)
    run(f"git init --quiet --bare {bare}; git -C {bare} config receive.advertisePushOptions true", tmp_path)
    run(f"git clone --quiet {bare} one; cd one; git commit --allow-empty -m a; git push origin HEAD:main", tmp_path)
    run(f"git clone --quiet --branch main {bare} two; mkdir one/images two/images", tmp_path)
    jobs = next(document for text in GITLAB.values() for document in yaml.safe_load_all(text) if "staging" in document)
    for job, clone in (("staging", "one"), ("production", "two")):
        (tmp_path / clone / "images" / "orders").write_text("sha256:1", "utf-8")
        run("\n".join(jobs[job]["script"]), tmp_path / clone)
    log = run(f"git -C {bare} log --format=%s main", tmp_path)
    assert log.split("\n")[:2] == ["Deploy to production", "Deploy to staging"]
    built = run(f"git -C {bare} log -1 --skip=1 --format='%(trailers:key=Built,valueonly,separator=)' main", tmp_path)
    assert built.strip() == "abc"
    # Of what was to be built one is missing: nobody may compare with this revision.
    run("git -C one fetch --quiet; rm one/images/*; echo sha256:2 > one/images/orders", tmp_path)
    told["BUILD"] = "orders mail"
    run("\n".join(jobs["staging"]["script"]), tmp_path / "one")
    assert "Built:" not in run(f"git -C {bare} log -1 --format=%B main", tmp_path)


def test_what_gitlab_runs_is_shell(tmp_path: Path) -> None:
    found = 0
    for text in GITLAB.values():
        for document in yaml.safe_load_all(text):
            for job in document.values():
                if isinstance(job, dict) and "script" in job:
                    found += 1
                    assert parsed("\n".join([*job.get("before_script", []), *job["script"]]), tmp_path) == ""
    assert found == 7


def parsed(script: str, folder: Path) -> str:
    """Let bash read a script without running it; return what it complains about."""
    file = folder / "script"
    file.write_text(script, "utf-8")
    return subprocess.run(["bash", "-n", str(file)], capture_output=True, text=True, check=False).stderr  # noqa: S603, S607


def played(script: str, folder: Path, answer: Answer) -> dict[str, str]:
    """Run a step with a command `shoal` that answers; return what it has put out."""
    (folder / "answer").write_bytes(msgspec.json.encode(answer))
    (folder / "system").write_text(json.dumps(SYSTEM), "utf-8")
    fake = folder / "shoal"
    fake.write_text('#!/bin/bash\n[ "$1" = describe ] && exec cat system || exec cat answer\n', "utf-8")
    fake.chmod(0o755)
    environ = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "SINCE": "abc",
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": "abc",
    }
    subprocess.run(["bash", "-eo", "pipefail", "-c", script], cwd=folder, env=environ, check=True)  # noqa: S603, S607
    output = folder / "output"
    lines = output.read_text("utf-8").splitlines() if output.exists() else []
    return dict(line.split("=", 1) for line in lines)


@needs_jq
def test_github_hears_which_services_to_test_and_to_build(tmp_path: Path) -> None:
    steps = read(GITHUB[".github/workflows/services.yml"])["jobs"]["affected"]["steps"]
    found = played(next(step["run"] for step in steps if step.get("id") == "affected"), tmp_path, ANSWER)
    assert json.loads(found["services"]) == [
        {"service": "orders", "folder": "shop/orders", "test": True, "build": True},
        {"service": "mail", "folder": "", "test": True, "build": False},
    ]
    assert (found["build"], found["whole"], found["rest"]) == ('["orders"]', "false", "mail web")


@needs_jq
def test_github_hears_of_nothing(tmp_path: Path) -> None:
    steps = read(GITHUB[".github/workflows/services.yml"])["jobs"]["affected"]["steps"]
    found = played(next(step["run"] for step in steps if step.get("id") == "affected"), tmp_path, Answer(since="abc"))
    assert (found["services"], found["build"], found["rest"]) == ("[]", "[]", "orders mail web")


@needs_jq
def test_gitlab_makes_a_child_of_the_services(tmp_path: Path) -> None:
    script = read(GITLAB[".gitlab-ci.yml"])["affected"]["script"][2:]
    played("\n".join(script), tmp_path, ANSWER)
    child = json.loads((tmp_path / "services.yml").read_text("utf-8"))
    assert child["stages"] == ["test", "image", "rest", "staging", "production"]
    assert child["variables"] == {"BUILD": "orders", "REST": "mail web"}
    given = [one["inputs"] for one in child["include"][:-1]]
    assert given[0] == {"service": "orders", "folder": "shop/orders", "test": True, "build": True}
    assert (given[1]["folder"], given[2]["test"], given[2]["build"]) == (".", False, False)
    assert "nothing" not in child
    spec, jobs = yaml.safe_load_all(GITLAB["ci/service.yml"])
    assert set(spec["spec"]["inputs"]) == set(given[0])
    stages = {job["stage"] for job in (*jobs.values(), *read(GITLAB["ci/environments.yml"]).values()) if "stage" in job}
    assert stages <= set(child["stages"])


@needs_jq
def test_gitlab_has_a_child_where_nothing_is_to_be_done(tmp_path: Path) -> None:
    script = read(GITLAB[".gitlab-ci.yml"])["affected"]["script"][2:]
    played("\n".join(script), tmp_path, Answer(since="abc"))
    assert json.loads((tmp_path / "services.yml").read_text("utf-8"))["nothing"]["script"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"registry": "ghcr.io/$(id)"},
        {"branch": "main; id"},
        {"requirements": "../requirements.txt"},
        {"environments": ("Prod",)},
        {"python": "3"},
    ],
)
def test_what_could_be_more_than_a_word_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError):
        Wish(system="shop", **wrong)


def test_the_command_writes_and_never_over_what_is_not_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def invoke(*arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            main(["-C", str(ROOT), "deploy", "pipelines", "--out", str(tmp_path), *arguments])
        return int(ended.value.code or 0)

    assert invoke("--for", "gitlab", "--check") == 1
    assert not list(tmp_path.iterdir())
    assert invoke("--for", "gitlab") == 0
    assert invoke("--for", "gitlab", "--check") == 0
    (tmp_path / ".gitlab-ci.yml").write_text("ours: {}\n", "utf-8")
    capsys.readouterr()
    assert invoke("--for", "gitlab") == 3
    assert "was not written by this command" in capsys.readouterr().err
    assert (tmp_path / ".gitlab-ci.yml").read_text("utf-8") == "ours: {}\n"


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason="the schemas of artefacts are not beside this checkout")
def test_the_workflows_are_valid(tmp_path: Path) -> None:
    for path, text in GITHUB.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    done = subprocess.run(  # noqa: S603
        [sys.executable, str(SCHEMAS / "validate.py"), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_costs_are_said_only_where_somebody_asks_for_them() -> None:
    plain = msgspec.structs.replace(WISH, cost="")
    for compiled in (compile_github(plain), compile_gitlab(plain)):
        assert not any("shoal cost" in artifact.text for artifact in compiled)
    assert "--target targets/aws-production.toml --diff HEAD^1" in GITHUB[".github/workflows/services.yml"]
    assert '--diff "$CI_MERGE_REQUEST_DIFF_BASE_SHA" -o markdown > cost.md' in GITLAB[".gitlab-ci.yml"]
    with pytest.raises(DeclarationError, match="cost"):
        msgspec.structs.replace(WISH, cost="aws; rm")


@pytest.mark.parametrize("known", ["", "77"])
def test_a_pull_request_has_one_comment_about_costs(known: str, tmp_path: Path) -> None:
    steps = read(GITHUB[".github/workflows/services.yml"])["jobs"]["cost"]["steps"]
    gh = tmp_path / "gh"
    gh.write_text(
        f'#!/bin/sh\necho "$@" >> "{tmp_path}/asked"\n[ "$2" = --paginate ] && echo "{known}"\nexit 0\n', "utf-8"
    )
    gh.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GITHUB_REPOSITORY": "a/b", "NUMBER": "5"}
    subprocess.run(["/bin/bash", "-eo", "pipefail", "-c", steps[-1]["run"]], env=environ, cwd=tmp_path, check=True)  # noqa: S603 - ours
    last = (tmp_path / "asked").read_text("utf-8").splitlines()[-1]
    assert ("PATCH repos/a/b/issues/comments/77" in last) == bool(known)
    assert last.startswith("api" if known else "pr comment 5 --body-file")
