"""``shoal deploy aws`` and ``shoal cost`` on a project in a folder: written, priced, compared, refused."""

import json
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from tests.cli.cafe import SYSTEM
from tests.cli.run import Run

TARGET = 'name = "production"\nregion = "us-east-1"\nleast = {least}\nmost = 8\n'


@pytest.fixture(name="run")
def _run(run: Run, tmp_path: Path) -> Run:
    (tmp_path / "system.py").write_text(SYSTEM, "utf-8")
    (tmp_path / "small.toml").write_text(TARGET.format(least=1), "utf-8")
    (tmp_path / "large.toml").write_text(TARGET.format(least=6), "utf-8")
    return run


def test_terraform_is_written_compared_and_checked(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("deploy", "aws", "--out", "out", "--target", "small.toml")
    assert code == 0
    assert "production/service-till.tf" in out
    assert run("deploy", "aws", "--out", "out", "--target", "small.toml", "--check")[0] == 0
    code, out, _ = run("deploy", "aws", "--out", "out", "--target", "large.toml", "--diff")
    assert "+  desired_count                      = 6" in out
    assert run("deploy", "aws", "--out", "out", "--target", "large.toml", "--check")[0] == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {".shoal-files", "images", "production"}


@pytest.mark.parametrize("more", [(), ("--compare",)])
def test_a_size_of_no_service_is_refused_as_it_is_by_deploy(run: Run, tmp_path: Path, more: tuple[str, ...]) -> None:
    (tmp_path / "odd.toml").write_text(TARGET.format(least=1) + "[services.tilll]\ncpu = 256\nmemory = 512\n", "utf-8")
    code, out, err = run("cost", "--target", "odd.toml", *more)
    assert (code, out) == (1, "")
    assert "production sizes tilll, which is no service" in err
    assert "did you mean till?" in err


def test_terraform_for_google_is_written_compared_and_checked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gcp-c.toml").write_text('name = "c"\ncompute = "kubernetes"\n', "utf-8")
    code, out, _ = run("deploy", "gcp", "--out", "out", "--target", "gcp-c.toml")
    assert code == 0
    assert "c/kubernetes.toml" in out
    assert run("deploy", "gcp", "--out", "out", "--target", "gcp-c.toml", "--check")[0] == 0
    (tmp_path / "gcp-c.toml").write_text('name = "c"\nleast = 5\nmost = 9\n', "utf-8")
    code, out, _ = run("deploy", "gcp", "--out", "out", "--target", "gcp-c.toml", "--diff")
    assert "- c/cluster.tf" in out
    assert run("deploy", "gcp", "--out", "out", "--target", "gcp-c.toml", "--check")[0] == 1
    code, _, err = run("deploy", "gcp", "--out", "out", "--target", "gcp-d.toml")
    assert (code, "gcp-production.toml" in err) == (1, True)


def test_a_file_that_several_clouds_take_is_of_the_one_that_it_is_called_after(run: Run, tmp_path: Path) -> None:
    for cloud in ("azure", "gcp"):
        (tmp_path / f"{cloud}-c.toml").write_text('name = "c"\ncompute = "kubernetes"\n', "utf-8")
        code, _, err = run("cost", "--target", f"{cloud}-c.toml")
        assert (code, f"prices of {cloud} in" in err) == (0, True), err


def test_a_bill_is_told_and_compared_with_an_earlier_one(run: Run, tmp_path: Path) -> None:
    code, before, _ = run("cost", "--target", "small.toml", "-o", "json")
    assert code == 0
    (tmp_path / "before.json").write_text(before, "utf-8")
    code, out, err = run("cost", "--target", "large.toml", "--diff", "before.json")
    assert code == 0
    assert out.startswith("SERVICE")
    less = Decimal(json.loads(before)["total"]["expected"])
    assert f"total: {less:,} before" in err
    assert "GET /sales" in json.loads(before)["endpoints"]


def test_a_revision_of_git_is_compared(run: Run, tmp_path: Path) -> None:
    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)  # noqa: S603, S607 - a test's

    git("init", "-q")
    git("add", "small.toml", "system.py")
    git("commit", "-qm", "A till")
    (tmp_path / "small.toml").write_text(TARGET.format(least=6), "utf-8")
    code, _, err = run("cost", "--target", "small.toml", "--diff", "HEAD")
    assert code == 0
    assert "till: " in err
    assert "total: " in err
    assert run("cost", "--target", "small.toml", "--diff", "nowhere")[0] != 0
    code, _, err = run("cost", "--target", "large.toml", "--diff", "HEAD")
    assert (code, "HEAD has no estimate: cannot read large.toml" in err) == (1, True), err


def test_more_than_the_budget_is_an_exit_code_of_its_own(run: Run) -> None:
    code, out, err = run("cost", "--target", "large.toml", "--budget", "1")
    assert code == 4
    assert "more than the budget of 1" in err
    assert out
    assert run("cost", "--target", "large.toml", "--budget", "100000")[0] == 0


def test_pages_are_written(run: Run) -> None:
    assert run("cost", "--target", "small.toml", "-o", "markdown")[1].startswith("| SERVICE |")
    assert run("cost", "--target", "small.toml", "-o", "html")[1].startswith("<!doctype html>")


def test_what_is_no_region_is_a_mistake_in_the_command(run: Run) -> None:
    code, _, err = run("cost", "--target", "small.toml", "--region", "mars-1")
    assert (code, "--region" in err, "'mars-1' is no region" in err) == (2, True, True), err


def test_a_region_whose_prices_nobody_knows_is_refused_with_what_helps(run: Run) -> None:
    code, out, err = run("cost", "--target", "small.toml", "--region", "ap-south-2")
    assert (code, out) == (1, "")
    assert "no price of aws in ap-south-2 is known here; there are tables of ap-southeast-1, eu-central-1" in err
    assert "shoal cost refresh --target aws --region ap-south-2" in err


@pytest.mark.parametrize(
    "words",
    [
        ("--target", "mainframe"), ("--target", "none.toml"), ("--usage", "none.toml"), ("--prices", "system.py"),
        ("--diff", "small.toml"), ("--usage", "small.toml"), ("--usage", "run"), ("--usage", "odd.toml"),
        ("--compare", "--budget", "5"), ("--run", "3"), ("--compare", "--diff", "HEAD"),
        ("--requests", "0"), ("--compare", "--region", "ap-south-2"), ("--target", "small.toml", "--target", "aws"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_words(run: Run, tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "odd.toml").write_text('[endpoints]\n"GET /sale" = 3\n', "utf-8")
    code, _, err = run("cost", *words)
    assert code != 0
    assert "Traceback" not in err
    assert words[1].partition(".")[0] in err or words[0] in err


PRICES = """provider = "aws"
region = "us-east-1"
date = "2026-11-23"
[sources]
ours = "our agreement"
[prices]
"fargate.x86.cpu.hour" = { amount = "0.03", unit = "vCPU-hour", source = "ours" }
"""


def test_prices_of_another_cloud_or_region_are_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text(PRICES, "utf-8")
    assert run("cost", "--prices", "ours.toml", "--region", "us-east-1")[0] == 0
    for meant in (("--region", "eu-west-1"), ("--target", "azure")):
        code, out, err = run("cost", "--prices", "ours.toml", *meant)
        assert (code, out) == (1, "")
        assert "these are prices of aws in us-east-1" in err
        assert "--target aws --region us-east-1" in err


def test_a_budget_that_unknown_prices_keep_says_so(run: Run, tmp_path: Path) -> None:
    (tmp_path / "ours.toml").write_text(PRICES, "utf-8")
    code, _, err = run("cost", "--prices", "ours.toml", "--region", "us-east-1", "--budget", "1000")
    assert (code, "holds as far as prices are known" in err) == (0, True)
    assert "holds as far as" not in run("cost", "--region", "us-east-1", "--budget", "1000")[2]


def test_usage_of_what_there_is_not_is_refused_with_what_was_meant(run: Run, tmp_path: Path) -> None:
    (tmp_path / "odd.toml").write_text('[endpoints]\n"GET /sale" = 3\n', "utf-8")
    _, _, err = run("cost", "--usage", "odd.toml")
    assert "'GET /sale'" in err
    assert "did you mean 'GET /sales'" in err


def test_clouds_and_kubernetes_are_compared_in_every_form(run: Run) -> None:
    code, out, err = run("cost", "--compare", "--target", "aws", "--region", "us-east-1")
    assert code == 0
    assert [line.split()[1].strip(",") for line in out.splitlines()[1:]] == ["serverless", "Kubernetes", "Kubernetes"]
    assert "prices of aws in us-east-1" in err
    data = json.loads(run("cost", "--compare", "--target", "aws", "-o", "json")[1])
    assert [way["how"] for way in data["ways"]] == ["serverless", "Kubernetes", "Kubernetes, engines managed"]
    both = json.loads(run("cost", "--compare", "--region", "us-central1", "--region", "us-east-1", "-o", "json")[1])
    assert {(way["provider"], way["region"]) for way in both["ways"]} == {
        ("aws", "us-east-1"), ("azure", "eastus2"), ("gcp", "us-central1"),
    }  # fmt: skip
    assert run("cost", "--compare", "-o", "markdown")[1].startswith("| CLOUD |")
    assert "<svg" in run("cost", "--compare", "-o", "html")[1]


def test_requests_are_said_in_a_word(run: Run) -> None:
    few, many = (
        json.loads(run("cost", "--target", "small.toml", "--requests", n, "-o", "json")[1]) for n in ("1", "90000000")
    )
    assert Decimal(many["total"]["expected"]) > Decimal(few["total"]["expected"])
    assert few["total"]["low"] <= few["total"]["high"]


def test_a_change_is_written_for_a_pull_request(run: Run, tmp_path: Path) -> None:
    (tmp_path / "before.json").write_text(run("cost", "--target", "small.toml", "-o", "json")[1], "utf-8")
    page = run("cost", "--target", "large.toml", "--diff", "before.json", "-o", "markdown")[1]
    assert page.startswith("### Expected a month: ")
    assert "| till | Fargate processors |" in page
    assert "till: " in run("cost", "--target", "large.toml", "--diff", "before.json", "-o", "html")[1]
    data = json.loads(run("cost", "--target", "large.toml", "--diff", "before.json", "-o", "json")[1])
    assert {one["component"] for one in data["changes"]["components"]} == {"Fargate processors", "Fargate memory"}
