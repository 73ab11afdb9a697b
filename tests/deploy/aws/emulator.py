"""An emulator of AWS at which Terraform applies what is written."""

import dataclasses
import os

import pytest

from shoal.local.engines import aws
from shoal.local.process import Command
from tests.deploy.aws.terraform import PLUGINS, provider

EMULATED = frozenset({"aws_cloudwatch_metric_alarm", "aws_ecs_cluster", "aws_ecs_service", "aws_iam_role_policy"})
"""What the emulator does not give back as it was said: the second plan would change it."""


def needed() -> None:
    """Skip a whole module where nobody asks for the matrix, or what it takes is not here."""
    pytest.importorskip("aiobotocore", reason="needs shoal[aws]")
    if "SHOAL_MATRIX" not in os.environ:
        pytest.skip("`make matrix` applies what is written", allow_module_level=True)
    if provider() is None:
        pytest.skip(f"no terraform with AWS's provider is here ({PLUGINS} names its folder)", allow_module_level=True)


async def guarded(options: aws.AwsOptions) -> Command:
    """Run the emulator so that it verifies who asks, and evaluates what roles may do."""
    command = await aws.prepare(options)
    return dataclasses.replace(command, env={**command.env, "AUTH": "true"})
