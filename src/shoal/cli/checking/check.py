"""One check of a project: settings, rules, what is known, the report."""

import gc
import importlib.metadata
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shoal import model
from shoal.check import baseline as baselines
from shoal.check import settings as settings_
from shoal.check.baseline import Baseline
from shoal.check.finding import Reported, at
from shoal.check.fixing import Fixed, fixed
from shoal.check.formats.page import Paint, Shown
from shoal.check.formats.table import FORMATS
from shoal.check.observed import Observed
from shoal.check.placed import Placed
from shoal.check.report import OUTDATED, Report
from shoal.check.rule import AnyRule
from shoal.check.rules.system_unreadable import RULE as UNREADABLE
from shoal.check.runner import looked_at, run
from shoal.check.subject import Subject
from shoal.check.told import TOLD
from shoal.cli.checking.project import contracts_in, gather
from shoal.cli.checking.rules import every
from shoal.cli.git import git
from shoal.errors import ContractError, DeclarationError, ShoalError
from shoal.model import feasible
from shoal.model.contracts import Locked
from shoal.model.finding import Finding as Told
from shoal.model.target import LOCAL
from shoal.operating import project
from shoal.operating import settings as shoal_settings
from shoal.operating.where import Where

REPOSITORY = frozenset({"github", "sarif"})
"""Forms whose readers know files by their place in the repository."""

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What lies beside a project's modules, and is looked at.

    Attributes:
        contracts: Folder where contracts are locked.
        targets: Whether deployed files are compared, and costs counted; otherwise as the settings say.
        placed: What came of that, where it is known.
    """

    contracts: str = "contracts"
    targets: bool = False
    placed: Placed | None = None


class Check:
    """Checks one project, as often as it is asked.

    Args:
        where: The project.
        only: Codes of the rules to be asked, or their beginnings; all when empty.
        baseline: File of findings that are let pass for now; that of the settings when empty.
        beside: What lies beside its modules.
        observed: What a run has seen.
        paths: Files of a system that was not written with Shoal; none for one that was.
        progress: Hears what is done.

    Raises:
        DeclarationError: The settings are wrong.
    """

    def __init__(
        self,
        where: Where,
        *,
        only: tuple[str, ...] = (),
        baseline: str = "",
        beside: Beside = Beside(),
        observed: Observed | None = None,
        paths: tuple[str, ...] = (),
        progress: Progress = lambda _: None,
    ) -> None:
        self.paths = paths
        self.passed: tuple[str, ...] = ()
        self.where, self.beside, self.observed, self._progress = where, beside, observed, progress
        self.rules, self._failed = every()
        self.settings = _settings(where.root, self.rules)
        if not paths:
            _require(where)
        codes = [*TOLD, *(rule.code for rule in self.rules)]
        self._only = settings_.begun([_spelt(word, codes) for word in only], codes, "--only")
        self.baseline = baseline or self.settings.baseline
        self.subject: Subject | None = None
        self.seconds = 0.0

    @property
    def texts(self) -> Mapping[str, str]:
        """Path → text as it may be shown, of every file in which something may be found."""
        found = dict(self.subject.shown) if self.subject else {}
        known = self.baseline_text()
        return found if known is None else found | {self.baseline: known}

    @property
    def files(self) -> Mapping[str, str]:
        """Path → text as it is, secrets and all, for what edits them."""
        return {**self.texts, **(self.subject.texts if self.subject else {})}

    def run(self) -> Report:
        """Read the system and ask the rules; a system that cannot be read is a finding.

        Raises:
            DeclarationError: An option or the baseline is wrong.
        """
        self._progress("reading the system")
        if self.paths:
            return self._imported()
        with _uncollected():
            try:
                system = project.read(self.where)
            except DeclarationError as error:
                return self._unreadable(error)
            return self.of(system)

    def of(self, system: model.System) -> Report:
        """Ask the rules about a system that has been read.

        Raises:
            DeclarationError: An option or the baseline is wrong.
        """
        began = time.monotonic()
        told: list[Told] = [*feasible.findings(system, LOCAL), *self._failed]
        with _uncollected():
            self._progress("reading its source")
            locked, placed = self._locked(told), self._placed()
            subject = gather(self.where, system, locked=locked, observed=self.observed, placed=placed)
            return self._asked(subject, told, began)

    def _imported(self) -> Report:
        """Ask the rules about what files tell."""
        from shoal.cli.checking import imported

        began = time.monotonic()
        with _uncollected():
            found = imported.gather(self.where.root, self.paths, self._progress)
            self.passed = found.passed
            return self._asked(found.subject, [*found.told, *self._failed], began)

    def _asked(self, subject: Subject, told: list[Told], began: float) -> Report:
        text = self.baseline_text()
        baseline = None if text is None else (self.baseline, baselines.read(self.baseline, text))
        self.subject = subject
        report = run(
            subject, self.rules, self.settings, only=self._only, told=told, baseline=baseline, progress=self._progress
        )
        self.seconds = time.monotonic() - began
        return report

    def looked_at(self, report: Report) -> set[str]:
        """List the codes of which something could have been found."""
        return looked_at([rule for rule in self.rules if rule.code in report.asked], self._only)

    def mended(self, report: Report) -> Fixed:
        """Make the edits of a report's findings, and take out of the baseline what is gone; write nothing."""
        whole = {path: text for path, text in self.files.items() if _reads(self.where.root / path, text)}
        made = fixed(report.findings, whole)
        outdated = tuple(finding for finding in report.findings if finding.code == OUTDATED)
        if not outdated or self.baseline not in whole:
            return made
        before = baselines.read(self.baseline, whole[self.baseline])
        left = baselines.shrunk(before, report.baselined, self.texts, self.looked_at(report))
        return Fixed({**made.texts, self.baseline: baselines.spell(left)}, (*made.mended, *outdated), made.left)

    def mend(self, report: Report) -> Fixed:
        """Mend what can be mended, write the files, and let the next run read them anew."""
        from shoal import files
        from shoal.model.artifact import Artifact

        root, made = self.where.root, self.mended(report)
        for path, text in made.texts.items():
            mode = (root / path).stat().st_mode & 0o777
            files.write(root, [Artifact(path=path, text=text)], mode=mode)
        if made.texts and self.subject:
            project.forget(self.where, self.subject.system)
        return made

    def baseline_text(self) -> str | None:
        """Return what the baseline says; None where there is none."""
        try:
            return (self.where.root / self.baseline).read_text("utf-8") if self.baseline else None
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise DeclarationError(f"cannot read the baseline: {error}", where=self.baseline) from error

    def write(self, baseline: Baseline) -> None:
        """Write the baseline."""
        from shoal import files
        from shoal.model.artifact import Artifact

        files.write(self.where.root, [Artifact(path=self.baseline, text=baselines.spell(baseline))])

    def show(self, report: Report, form: str, paint: Paint) -> str:
        """Spell a report in one of its forms."""
        version = importlib.metadata.version("shoal")
        before = _within(self.where.root) if form in REPOSITORY else ""
        texts = {**self._unread(report), **self.texts}
        shown = Shown(report=report, texts=texts, rules=self.rules, version=version, paint=paint, before=before)
        return FORMATS[form](shown)

    def _placed(self) -> Placed | None:
        """Look at what lies where the system is deployed from, where somebody asks for that."""
        if self.beside.placed is not None or not (self.beside.targets or self.settings.targets):
            return self.beside.placed
        from shoal.cli.checking import placed

        self._progress("comparing the files of targets")
        return placed.gather(self.where)

    def _locked(self, told: list[Told]) -> Locked | None:
        """Read the locked contracts; where they cannot be read, say so, and let all other rules be asked."""
        try:
            return contracts_in(self.where.root / self.beside.contracts)
        except (ContractError, OSError) as error:
            message, help_ = (error.message, error.hint) if isinstance(error, ShoalError) else (str(error), "")
            told.append(Told(code=UNREADABLE.code, severity="error", message=message, help=help_))
            return None

    def _unread(self, report: Report) -> Mapping[str, str]:
        """Read the files in which it stands why a system cannot be read; an error of syntax shows its line itself."""
        found = {f.where.file for f in report.findings if f.code == UNREADABLE.code and "\n" not in f.message}
        files = [(name, self.where.root / name) for name in found if self.subject is None]
        return {name: file.read_text("utf-8", errors="replace") for name, file in files if file.is_file()}

    def _unreadable(self, error: ShoalError) -> Report:
        finding = Reported(
            code=UNREADABLE.code,
            name=UNREADABLE.name,
            severity=UNREADABLE.severity,
            where=at(error.where or project.entry(self.where).partition(":")[0].replace(".", "/") + ".py"),
            message=error.message,
            help=error.hint,
        )
        return Report(
            system=project.entry(self.where), services=0, files=0, asked=(UNREADABLE.code,), findings=(finding,)
        )


def _require(where: Where) -> None:
    """Refuse a folder without a system, and say how one that was not written with Shoal is checked."""
    try:
        project.require(where)
    except DeclarationError as error:
        hint = f"{error.hint}; or name files of another kind of system: shoal check compose.yaml k8s/"
        raise DeclarationError(error.message, hint=hint, where=error.where) from error


def _spelt(word: str, codes: Iterable[str]) -> str:
    """Spell the beginning of a code as the code does, whatever letters somebody types."""
    return next((code[: len(word)] for code in codes if word and code.upper().startswith(word.upper())), word)


def _within(root: Path) -> str:
    """Say where a project lies in its repository, as ``services/shop/``; empty at its top, and without one."""
    try:
        return git(root, "rev-parse", "--show-prefix").strip()
    except ShoalError:
        return ""


def _reads(file: Path, text: str) -> bool:
    """Tell whether a file still reads so, byte by byte; what would lose something is not mended."""
    try:
        return file.read_bytes() == text.encode()
    except (OSError, UnicodeEncodeError):
        return False


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile: a check makes hundreds of thousands of nodes, and needs all of them to its end."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _settings(root: Path, rules: tuple[AnyRule, ...]) -> settings_.Settings:
    """Read ``[tool.shoal.check]``."""
    table: Any = shoal_settings.table(root).get("check", {})
    if not isinstance(table, dict):
        raise DeclarationError(f"[tool.shoal] check = {table!r} is no table", where=shoal_settings.FILE)
    found = settings_.read(table, [rule.code for rule in rules])
    for rule in rules:
        settings_.options(found, rule.code, rule.options)
    return found
