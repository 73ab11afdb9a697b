"""The real ``terraform``, for what it says without a provider."""

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest


def program() -> str:
    found = shutil.which("terraform")
    if found is None:
        pytest.skip("the program terraform is not here")
    return found


def _run(folder: Path, *words: str, said: str = "") -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    return subprocess.run(  # noqa: S603 - a program that was found
        [program(), *words], cwd=folder, input=said, capture_output=True, text=True, check=False, timeout=60,
        env=environment,
    )  # fmt: skip


def unformatted(folder: Path) -> str:
    """Say what ``terraform fmt`` would change; empty when nothing."""
    ended = _run(folder, "fmt", "-check", "-diff", "-recursive", ".")
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr


def evaluated(folder: Path, name: str) -> Any:
    """Return the value of a local, as Terraform reads it."""
    ended = _run(folder, "console", said=f"base64encode(jsonencode(local.{name}))\n")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(base64.b64decode(ended.stdout.strip().strip('"')))
