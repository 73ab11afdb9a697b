"""``shoal check``: find the ways in which the system will go wrong, before it does."""

import re
import sys
import time
from collections.abc import Mapping
from difflib import unified_diff
from typing import TYPE_CHECKING, Any, get_args

import click

from shoal.check.settings import FailOn
from shoal.cli.output import colourful, examples, harmless, say, style
from shoal.cli.program import FOUND, OK, Global
from shoal.errors import DeclarationError

if TYPE_CHECKING:
    from shoal.check.observed import Observed
    from shoal.check.report import Report
    from shoal.cli.checking.check import Check
    from shoal.model.system import System

CONTRACTS = "contracts"
FORMS = ("full", "concise", "json", "sarif", "github", "junit")
_UNENDED = "\\ No newline at end of file\n"
_COLOURS = {"error": "red", "warning": "yellow", "info": "bright_blue", "dim": "bright_black", "code": "cyan"}

_EXAMPLES = examples(
    "shoal check",
    "shoal check --fix",
    "shoal check --fix --diff                        what that would change; nothing is written",
    "shoal check --only SH1 --only SH301",
    "shoal check -f sarif > findings.sarif",
    "shoal check --fail-on error -f github",
    "shoal check --observed                          compared with what the newest run has seen",
    "shoal check --targets                           are deployed files out of date, and budgets exceeded?",
    "shoal check --observed 14 --policy              what of the permissions run 14 used, as a diff",
    "shoal check --baseline check.json --begin        what is found today is let pass for now",
    "shoal check compose.yaml k8s/ openapi/*.yaml     a system that was not written with Shoal",
)


@click.command("check", epilog=_EXAMPLES)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "-f", "--format", "-o", "--output", "form", type=click.Choice(FORMS), default="full", help="Form of the findings."
)
@click.option("--json", "as_json", is_flag=True, help="The same as -o json.")
@click.option(
    "--fail-on",
    type=click.Choice(get_args(FailOn)),
    help="Least severity for exit code 1 [default: pyproject.toml, else warning].",
)
@click.option("--only", multiple=True, metavar="CODE", help="Ask only these rules, by code or its beginning.")
@click.option("--fix", is_flag=True, help="Mend what is safe to mend, and check again.")
@click.option("--diff", is_flag=True, help="With --fix: show what it would change, and write nothing.")
@click.option("--baseline", default="", metavar="FILE", help="Findings that are let pass for now.")
@click.option("--begin", is_flag=True, help="Write what is found now into the baseline, which must not be there yet.")
@click.option("--shrink", is_flag=True, help="Take out of the baseline what is no longer found; nothing is added.")
@click.option("--contracts", default=CONTRACTS, show_default=True, help="Folder in which contracts are locked.")
@click.option(
    "--observed",
    is_flag=False,
    flag_value=0,
    type=click.IntRange(0),
    metavar="[RUN]",
    help="Compare with what a recorded run has seen, by its number [the newest].",
)
@click.option("--targets", is_flag=True, help="Compare files of shoal deploy with the system, and costs with budgets.")
@click.option("--policy", is_flag=True, help="With --observed: show permissions that were not used, as a diff.")
@click.pass_obj
def command(
    context: Global, /, form: str, fail_on: FailOn | None, observed: int | None, policy: bool, **said: Any
) -> int:
    """Find the ways in which the system will go wrong: from what it declares, from its source, and from its contracts.

    PATHs are files and folders of a system that was not written with Shoal: Compose, Kubernetes, OpenAPI, AsyncAPI. It
    is asked what these tell; the rules that need more are listed with -v.

    Exit code 0 when nothing is found at or above --fail-on, 1 when something is, 2 for a mistake in the command or in
    [tool.shoal.check] of pyproject.toml; the same in every form. A comment lets a finding pass, with its reason:
    # shoal: ignore[SH101] the partner asks for it. What a code means: shoal explain SH101.
    """
    from shoal.cli.checking.check import Beside, Check

    if said["paths"] and (observed is not None or policy or said["targets"] or said["contracts"] != CONTRACTS):
        raise click.UsageError(
            "runs, targets and contracts are compared with declarations of Shoal, which PATHs do not have"
        )
    try:
        check = Check(
            context,
            only=said["only"],
            baseline=said["baseline"],
            beside=Beside(contracts=said["contracts"], targets=said["targets"]),
            observed=_observed(context, observed, policy=policy),
            paths=said["paths"],
            progress=_Progress().told,
        )
        _require_there(check, said)
        report = _settled(check, check.run(), said, context.verbosity)
    except DeclarationError as error:  # of the settings; what is wrong with the system itself is a finding
        raise click.UsageError(str(error)) from error
    fails = report.fails(fail_on or check.settings.fail_on)
    if said["diff"]:
        say(_summary(check, report, fails=fails))
    elif check.observed and check.subject and policy:
        _policy(check.subject.system, check.observed)
    else:
        _show(check, report, "json" if said["as_json"] else form, context.verbosity, fails=fails)
    return FOUND if fails else OK


def _require_there(check: "Check", said: Mapping[str, Any]) -> None:
    """Refuse names of files that are not there, and a diff of nothing: what is asked for could not be done."""
    if said["diff"] and (not said["fix"] or said["begin"] or said["shrink"]):
        raise click.UsageError("--diff shows what --fix would change, and nothing is written then: --fix --diff")
    if said["baseline"] and not said["begin"] and check.baseline_text() is None:
        raise click.UsageError(f"there is no {check.baseline}; --begin writes it")
    if said["contracts"] != CONTRACTS and not (check.where.root / said["contracts"]).is_dir():
        raise click.UsageError(f"there is no folder {said['contracts']}; shoal contract lock writes one")


def _observed(context: Global, number: int | None, *, policy: bool) -> "Observed | None":
    """Read what a run has seen; None where nobody asks for it."""
    if number is None:
        if policy:
            raise click.UsageError("which permissions were used only a run can tell: --observed --policy")
        return None
    from shoal.dashboard.store import runs
    from shoal.dashboard.store.reading import database, seen

    file = runs.find(runs.folder_of(context.root), number)
    with database(file) as opened:
        return seen(opened, f"run {runs.number_of(file)}")


def _policy(system: "System", observed: "Observed") -> None:
    """Print what services may do against what of it they did."""
    from shoal.check.permissions import policy

    text = policy(system, observed)
    if text:
        click.echo(harmless(text))
    else:
        say(f"all that is declared was used in {observed.run}")


def _settled(check: "Check", report: "Report", said: Mapping[str, Any], verbosity: int) -> "Report":
    """Do with a report's findings what is asked for, and return what is found afterwards."""
    if said["diff"]:
        _would_mend(check, report)
        return report
    if said["fix"]:
        report = _mend(check, report, verbosity)
    if said["begin"] or said["shrink"]:
        _write(check, report, begin=said["begin"], shrink=said["shrink"])
        report = check.run()
    return report


def _would_mend(check: "Check", report: "Report") -> None:
    """Print what --fix would change, as a diff."""
    made, files = check.mended(report), check.files
    for path, text in sorted(made.texts.items()):
        for line in unified_diff(_lines(files[path]), _lines(text), f"a/{path}", f"b/{path}"):
            bare = line.rstrip("\r\n")
            whole = line.endswith("\n") or line.startswith(("---", "+++", "@@"))
            click.echo(harmless(bare) + (line[len(bare) :] or "\n") + ("" if whole else _UNENDED), nl=False)
    say(f"{_counted(len(made.mended), 'finding')} would be mended by shoal check --fix")


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _mend(check: "Check", report: "Report", verbosity: int) -> "Report":
    made = check.mend(report)
    for finding in made.mended if verbosity >= 0 else ():
        say(f"mended {finding.where} {finding.code} {finding.message}")
    for finding in made.left:
        say(f"left   {finding.where} {finding.code}: its edits overlap with others, or would break the file")
    return check.run() if made.texts else report


def _write(check: "Check", report: "Report", *, begin: bool, shrink: bool) -> None:
    """Write the baseline: all that is found, where there was none; else only less than before."""
    from shoal.check import baseline

    if not check.baseline:
        raise click.UsageError("name the file: --baseline FILE, or [tool.shoal.check] baseline in pyproject.toml")
    text = check.baseline_text()
    if begin and shrink:
        raise click.UsageError("say one of --begin and --shrink")
    if begin and text is not None:
        raise click.UsageError(f"{check.baseline} is there already, and can only shrink: --shrink")
    if shrink and text is None:
        raise click.UsageError(f"there is no {check.baseline}; --begin writes it")
    if text is None:
        left = baseline.made((f for f in report.findings if not f.code.startswith("SH0")), check.texts)
    else:
        before = baseline.read(check.baseline, text)
        left = baseline.shrunk(before, report.baselined, check.texts, check.looked_at(report))
    check.write(left)
    count = sum(entry.count for entry in left.findings)
    say(f"{check.baseline}: {_counted(count, 'finding')} let pass for now")


def _show(check: "Check", report: "Report", form: str, verbosity: int, *, fails: bool) -> None:
    colours = form in ("full", "concise") and colourful(sys.stdout)
    text = check.show(report, form, _paint if colours else lambda text, _: text)
    if text:
        click.echo(harmless(text), color=True)
    if form in ("full", "concise"):
        if verbosity > 0:
            _aside(check, report)
        if verbosity >= 0 or report.findings:
            say(_summary(check, report, fails=fails))


def _paint(text: str, role: str) -> str:
    return click.style(text, fg=_COLOURS[role]) if role in _COLOURS else click.style(text, bold=True)


def _aside(check: "Check", report: "Report") -> None:
    """List what is let pass, who was not asked, and what was not read."""
    from shoal.check.rule import NEEDS

    words = {str(need): text for need, text in NEEDS.items()}
    for finding in report.ignored:
        say(f"let pass {finding.where} {finding.code} {finding.message}: {finding.reason}")
    for finding in report.baselined:
        say(f"baseline {finding.where} {finding.code} {finding.message}")
    for rule in report.unasked:
        say(f"not asked {rule.code} {rule.name}: needs {', '.join(words[need] for need in rule.needs)}")
    for path in check.passed:
        say(f"not read {path}: of no kind that tells of a system, or one of several files of Compose")


def _summary(check: "Check", report: "Report", *, fails: bool) -> str:
    """Say in one line what came of it; its mark is that of the exit code."""
    mark = style("✗", sys.stderr, fg="red", bold=True) if fails else style("✓", sys.stderr, fg="green")
    looked = f"{_counted(report.services, 'service')}, {_counted(report.files, 'file')}, {check.seconds:.2f} s"
    counts = [
        _counted(report.count("error"), "error"),
        _counted(report.count("warning"), "warning"),
        _counted(report.count("info"), "remark"),
    ]
    found = ", ".join(text for text in counts if not text.startswith("0 "))
    head = f"{found} in {looked}" if found else f"no findings: {_counted(len(report.asked), 'rule')}, {looked}"
    more = [
        f"{report.fixable} fixable with --fix" if report.fixable else "",
        f"{len(report.ignored)} let pass" if report.ignored else "",
        f"{len(report.baselined)} in the baseline" if report.baselined else "",
        f"{_counted(len(report.unasked), 'rule')} not asked" if report.unasked else "",
    ]
    told = [text for text in more if text]
    return " · ".join([f"{mark} {head}", *told]) + (" (list: shoal -v check)" if told[report.fixable > 0 :] else "")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


class _Progress:
    """Says what is done, once that has taken a second."""

    def __init__(self) -> None:
        self._began, self._told = time.monotonic(), 0.0

    def told(self, what: str) -> None:
        """Hear what is done next."""
        now = time.monotonic()
        if now - self._began > 1 and now - self._told > 1:
            self._told = now
            say(f"checking, {now - self._began:.0f} s: {what}")
