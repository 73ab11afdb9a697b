"""``shoal deploy pipelines``."""

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shoal.cli import output
from shoal.cli.deploying.artifacts import compared, words, written
from shoal.cli.output import examples
from shoal.cli.program import FOUND, OK, Global
from shoal.errors import HostError

if TYPE_CHECKING:
    from shoal.model.artifact import Artifact

MAKER = "shoal deploy pipelines"

_EXAMPLES = examples(
    "shoal deploy pipelines --for github --registry ghcr.io/example",
    "shoal deploy pipelines --for gitlab --environment staging --environment production",
    "shoal deploy pipelines --for github --cost targets/aws-production.toml",
    "shoal deploy pipelines --for github --check",
)


@click.command("pipelines", epilog=_EXAMPLES)
@click.option("--for", "platform", required=True, type=click.Choice(["github", "gitlab"]), help="Who runs them.")
@click.option("--out", type=click.Path(path_type=Path), default=".", help="Folder of the files [default: the project].")
@click.option("--registry", default="registry.example", show_default=True, help="Where images go.")
@click.option(
    "--environment", "environments", multiple=True, metavar="NAME", default=("staging", "production"),
    show_default=True, help="Where it is deployed, one after the other.",
)  # fmt: skip
@click.option("--branch", default="main", show_default=True, help="Branch that is deployed.")
@click.option("--requirements", default="requirements.txt", show_default=True, help="Locked packages, with hashes.")
@click.option("--deploy", default="deploy", show_default=True, help="Folder of `shoal deploy kubernetes`.")
@click.option("--cost", default="", metavar="TARGET", help="Let each pull request say what `shoal cost` expects of it.")
@click.option("--diff", "show", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--check", is_flag=True, help="Write nothing; fail (exit code 1) when files are out of date.")
@output.output_option
@click.pass_obj
def command(
    context: Global, /, platform: str, out: Path, show: bool, check: bool, output: str, **wishes: object
) -> int:
    """Write pipelines that test, build, sign and deploy what a change concerns, and nothing else.

    They ask `shoal affected`. An image is described by an SBOM and signed without a key (OIDC); an environment takes
    only what was signed, by its digest. Who must agree to a deployment is set on the platform.
    """
    from shoal import files

    folder = out if out.is_absolute() else context.root / out
    artifacts = _compiled(context, platform, wishes)
    if show or check:
        changed = compared(folder, artifacts, output, maker=MAKER, quiet=context.verbosity < 0, whole=show)
        return FOUND if check and changed else OK
    _require_ours(folder, artifacts)
    written(files.write_all(folder, artifacts, maker=MAKER, words=words()), output, quiet=context.verbosity < 0)
    return OK


def _compiled(context: Global, platform: str, wishes: dict[str, object]) -> "tuple[Artifact, ...]":
    from shoal.deploy.pipelines.github import compile_github
    from shoal.deploy.pipelines.gitlab import compile_gitlab
    from shoal.deploy.pipelines.wish import Wish
    from shoal.operating import project

    given = {name: value for name, value in wishes.items() if name != "environments"}
    wish = Wish(
        system=project.read(context).name,
        environments=tuple(str(name) for name in wishes["environments"]),  # type: ignore[attr-defined]
        package=_is_package(context.root),
        **{name: str(value) for name, value in given.items()},
    )
    return {"github": compile_github, "gitlab": compile_gitlab}[platform](wish)


def _is_package(root: Path) -> bool:
    try:
        return "build-system" in tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError):
        return False


def _require_ours(folder: Path, artifacts: "tuple[Artifact, ...]") -> None:
    """Refuse to write over a pipeline that somebody else has written."""
    from shoal.files import diff

    for entry in diff(folder, artifacts):
        path = folder / entry.path
        if (
            entry.change == "changed"
            and "shoal deploy pipelines" not in path.read_text("utf-8", errors="replace")[:200]
        ):
            raise HostError(
                f"{path} is there already, and was not written by this command",
                hint="move it away, or compare: shoal deploy pipelines --diff",
            )
