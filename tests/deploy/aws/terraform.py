"""Terraform and AWS's own provider against an emulator: what is written is applied, as far as the emulator answers.

The provider is looked for in a folder as ``terraform init -plugin-dir`` takes it, which ``SHOAL_TERRAFORM_PLUGINS``
names. It may be older than the one that the files ask for, so what it does not know yet is left out, by name.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

PLUGINS = "SHOAL_TERRAFORM_PLUGINS"

NOT_HERE: Mapping[str, str] = {
    "aws_apigatewayv2_vpc_link": "MiniStack has no private links of APIs",
    "aws_apigatewayv2_integration": "it leads through a private link",
    "aws_apigatewayv2_route": "it leads to an integration",
    "aws_apigatewayv2_stage": "it is made with its routes",
    "aws_wafv2_web_acl_association": "the web ACL is another stack's",
    "aws_ecr_replication_configuration": "MiniStack copies no images",
    "aws_appautoscaling_target": "MiniStack refuses targets of services",
    "aws_appautoscaling_policy": "it is that of a target",
    "aws_db_instance": "MiniStack's answer is not what the provider reads, and there is no database behind it",
    "aws_docdb_cluster": "the same",
    "aws_docdb_cluster_instance": "the same",
    "aws_opensearch_domain": "the provider ends when it reads MiniStack's answer",
    "aws_elasticache_replication_group": "MiniStack says no address of the cluster",
    "aws_redshiftserverless_namespace": "MiniStack has no Redshift",
    "aws_redshiftserverless_workgroup": "the same",
}
"""Resources that are written and validated, and not applied here."""

LATER = (
    r"\n\s*image_tag_mutability_exclusion_filter \{[^}]*\}\n",
    r"\n\s*deletion_protection\s+= \w+(?=\n.*\n\s+depends)",
)
"""What the provider of an older version does not know yet."""

_BLOCK = re.compile(
    r"^(resource|data|output|locals|variable|provider|terraform)\b[^\n]*\{\n.*?^\}\n", re.MULTILINE | re.DOTALL
)


def provider() -> tuple[Path, str] | None:
    """Find AWS's provider: its folder of plugins, and its version."""
    folder = Path(os.environ.get(PLUGINS, "nowhere"))
    found = sorted(folder.glob("registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws_*"))
    return (folder, found[-1].parents[1].name) if found and shutil.which("terraform") else None


def adapted(folder: Path, version: str, *, whole: bool = False) -> None:
    """Make files fit: the version that is here, a state beside them, no provider of random numbers.

    Where not all is meant, what the emulator does not know is left out, and whoever names it is told a word instead.
    """
    for file in folder.glob("*.tf"):
        text = file.read_text("utf-8")
        text = re.sub(r'version = "~> 6[^"]*"', f'version = "{version}"', text)
        text = re.sub(r"\n    random = \{[^}]*\}", "", text)
        text = re.sub(r'\n  #[^\n]*\n(?:  #[^\n]*\n)*  backend "s3" \{[^}]*\}\n', "\n", text)
        text = re.sub(
            r'resource "random_password" ("[^"]+") \{\n.*?^\}\n',
            r'resource "terraform_data" \1 {\n  input = "a-password-of-some-length"\n}\n',
            text, flags=re.MULTILINE | re.DOTALL,
        )  # fmt: skip
        text = re.sub(r"random_password\.([\w-]+)\.result", r"terraform_data.\1.output", text)
        text = re.sub(r'"IMMUTABLE_WITH_EXCLUSION"', '"IMMUTABLE"', text)
        text = re.sub(LATER[0], "\n", text)
        text = re.sub(r"(\n  replica \{[^}]*?)\n +deletion_protection_enabled += \w+", r"\1", text)
        text = re.sub(
            r"(resource \"aws_eks_cluster\".*?)\n\s*deletion_protection\s+= \w+", r"\1", text, flags=re.DOTALL
        )
        file.write_text(text if whole else _without(text), "utf-8")


def _without(text: str) -> str:
    kept = _BLOCK.sub(lambda found: "" if _absent(found[0]) else found[0], text)
    kinds = "|".join(sorted(NOT_HERE, key=len, reverse=True))
    named = rf"(?:{kinds})\.[\w-]+(?:\[[^\]]*\])?\.\w+(?:\[[^\]]*\])?(?:\.\w+)?"
    kept = re.sub(rf"\$\{{{named}\}}", "absent", kept)
    return re.sub(rf"\b{named}", '"absent"', kept)


def _absent(block: str) -> bool:
    found = re.match(r'resource "(\w+)"', block)
    return found is not None and found[1] in NOT_HERE


class Terraform:
    """One folder of files, at an emulator."""

    def __init__(self, folder: Path, plugins: Path, endpoint: str, account: str) -> None:
        self.folder, self.plugins = folder, plugins
        own = {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "secret"}
        quiet = {"AWS_EC2_METADATA_DISABLED": "true", "TF_CLI_CONFIG_FILE": os.devnull, "TF_IN_AUTOMATION": "1"}
        self.environ = {"PATH": os.environ["PATH"], "HOME": str(folder), **own, **quiet, "AWS_MAX_ATTEMPTS": "1"}
        (folder / "emulator_override.tf").write_text(
            'provider "aws" {\n  skip_credentials_validation = true\n  skip_metadata_api_check = true\n'
            "  skip_requesting_account_id = false\n  s3_use_path_style = true\n}\n",
            "utf-8",
        )

    def run(self, *words: str, ends: Iterable[int] = (0,)) -> str:
        ended = subprocess.run(  # noqa: S603 - our own files
            ["terraform", *words], cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False,  # noqa: S607
            timeout=900,
        )  # fmt: skip
        assert ended.returncode in ends, ended.stdout[-3000:] + ended.stderr[-6000:]
        return ended.stdout

    def init(self) -> None:
        self.run("init", "-input=false", "-no-color", f"-plugin-dir={self.plugins}")

    def changes(self, *more: str) -> list[str]:
        """Plan, and name what would be made, changed or removed."""
        self.run("plan", "-input=false", "-no-color", "-out=plan", *more)
        planned = json.loads(self.run("show", "-json", "plan"))
        return [
            one["address"]
            for one in planned["resource_changes"]
            if one["change"]["actions"] not in (["no-op"], ["read"])
        ]

    def apply(self) -> None:
        self.run("apply", "-input=false", "-no-color", "-auto-approve", "-parallelism=40", "plan")

    def state(self) -> list[str]:
        return [line for line in self.run("state", "list").splitlines() if not line.startswith("data.")]

    def outputs(self) -> dict[str, Any]:
        return {name: one["value"] for name, one in json.loads(self.run("output", "-json")).items()}

    def destroy(self, *more: str) -> None:
        self.run("destroy", "-input=false", "-no-color", "-auto-approve", "-parallelism=40", *more)
