"""``shoal deploy argocd``."""

from collections.abc import Sequence
from pathlib import Path

import click

from shoal.cli import output
from shoal.cli.deploying.artifacts import compared, write
from shoal.cli.deploying.targets import planned
from shoal.cli.output import examples
from shoal.cli.program import FOUND, OK, Global

MAKER = "shoal deploy argocd"

_EXAMPLES = examples(
    "shoal deploy argocd --repository https://github.com/example/shop",
    "shoal deploy argocd --repository https://gitlab.com/example/shop --previews gitlab:example/shop",
    "shoal deploy argocd --repository https://github.com/example/shop --check",
)


@click.command("argocd", epilog=_EXAMPLES)
@click.option("--repository", required=True, metavar="URL", help="Where Argo CD reads the manifests.")
@click.option("--branch", default="main", show_default=True, help="Branch that it reads.")
@click.option("--deploy", default="deploy", show_default=True, help="Folder of `shoal deploy kubernetes`.")
@click.option(
    "--out", type=click.Path(path_type=Path), default="argocd", show_default=True, help="Folder of the files."
)
@click.option(
    "--target", "targets", multiple=True, type=click.Path(path_type=Path), help="Settings of one environment (TOML)."
)
@click.option(
    "--previews", default="", metavar="PLATFORM:PROJECT", help="Deploy labelled pull requests: github:me/shop."
)
@click.option("--diff", "show", is_flag=True, help="Show what would change, and write nothing.")
@click.option("--check", is_flag=True, help="Write nothing; fail (exit code 1) when files are out of date.")
@output.output_option
@click.pass_obj
def command(
    context: Global, /, out: Path, targets: Sequence[Path], show: bool, check: bool, output: str, **wishes: str
) -> int:
    """Write what Argo CD is told: a project, an Application for each environment, previews of pull requests.

    It deploys what is committed, removes what is gone and puts back what was changed by hand. An environment reads
    the folder releases/NAME, where a pipeline writes the digests of images.
    """
    from shoal.deploy.delivery.argocd import Wish, compile_argocd

    folder = out if out.is_absolute() else context.root / out
    scope = planned(context, context.root / wishes["deploy"], targets, source=False)
    place = folder.relative_to(context.root) if folder.is_relative_to(context.root) else Path(folder.name)
    artifacts = compile_argocd(scope, Wish(**wishes, place=place.as_posix()))
    if show or check:
        changed = compared(folder, artifacts, output, maker=MAKER, quiet=context.verbosity < 0, whole=show)
        return FOUND if check and changed else OK
    write(folder, artifacts, output, maker=MAKER, quiet=context.verbosity < 0)
    return OK
