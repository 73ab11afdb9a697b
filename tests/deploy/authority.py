"""The validator that knows the schemas of Kubernetes, and of what is added to it.

It lies beside the checkout, and is no part of it. Kinds that it does not know are in `tests/schemas/kubernetes`.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2]
BESIDE = Path(os.environ.get("SHOAL_SCHEMAS") or HOME.parent / "shared" / "schemas")
SCHEMAS = HOME / "tests" / "schemas"
OWN = SCHEMAS / "kubernetes"
_NEEDED = (
    "validate.py", "artefact_checks", "crds", "kubernetes", "kustomize", "compose",  # what runs
    "grafana", "otelcol", "fluentbit", "prometheus",  # what watches
)  # fmt: skip


def validator(folder: Path) -> Path:
    """Put the validator and all schemas into one folder, or skip by name."""
    if not (BESIDE / "validate.py").exists():
        pytest.skip(f"the validator of manifests is not at {BESIDE}")
    if shutil.which("kubectl") is None and shutil.which("kustomize") is None:
        pytest.skip("neither kubectl nor kustomize is here, which build what is validated")
    for name in _NEEDED:
        place = folder / name
        if (BESIDE / name).is_dir():
            shutil.copytree(BESIDE / name, place, copy_function=shutil.copyfile)
            place.chmod(0o755)
        else:
            shutil.copyfile(BESIDE / name, place)
    for group in OWN.iterdir():
        shutil.copytree(group, folder / "crds" / group.name)
    return folder / "validate.py"


def complaints(program: Path, *folders: Path) -> str:
    """Validate folders; empty when every document is known and none fails."""
    ended = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, str(program), "--quiet", *map(str, folders)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return (
        "" if ended.returncode == 0 else f"exit code {ended.returncode}\n{ended.stdout[-6000:]}{ended.stderr[-2000:]}"
    )


def with_ours(folder: Path) -> Path:
    """Put the validator and all schemas into one folder, those of clouds with ours, which it leaves out."""
    for one in BESIDE.iterdir():
        if one.name == "validate.py":
            shutil.copyfile(one, folder / one.name)
        elif one.name in ("artefact_checks", "bicep", "terraform"):
            shutil.copytree(one, folder / one.name, copy_function=shutil.copyfile)
            (folder / one.name).chmod(0o755)
        else:
            (folder / one.name).symlink_to(one)
    for ours in (SCHEMAS / "terraform").iterdir():
        place = folder / "terraform" / ours.name
        known, more = (json.loads(one.read_text("utf-8")) for one in (place, ours))
        merged = {part: {**known[part], **more.get(part, {})} for part in ("resources", "data_sources")}
        place.write_text(json.dumps({**known, **merged}), "utf-8")
    index = folder / "bicep" / "index.json"
    known = json.loads(index.read_text("utf-8"))
    for ours in (SCHEMAS / "bicep").iterdir():
        shutil.copyfile(ours, folder / "bicep" / ours.name)
        for name in json.loads(ours.read_text("utf-8"))["resources"]:
            kind, _, version = name.partition("@")
            known[kind] = {"schemas": [version], "versions": [version]}
    index.write_text(json.dumps(known), "utf-8")
    return folder / "validate.py"
