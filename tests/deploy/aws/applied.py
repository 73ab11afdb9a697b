"""What was applied at an emulator: its tasks, its secrets, and its roles, whose rights the emulator evaluates."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import pytest

from shoal.drivers.aws.address import AwsAddress
from shoal.drivers.aws.client import AwsClient
from tests.deploy.aws.tasks import Task

ACCOUNT, REGION = "100000000000", "eu-central-1"
_OURS = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
_SPELLED = {"sns:Publish": "sns:PublishBatch"}
"""Actions that AWS takes as another one (Service Authorization Reference), and the emulator as one of their own."""

_UNNAMED = ("ses:SendEmail", "ssm:GetParametersByPath")
"""What the emulator evaluates without the name of what is asked for, so that it refuses who has the right by name."""

_INTERFACES = ("dynamodb", "ecs", "iam", "s3", "secretsmanager", "ses", "sts")


class Cloud:
    """An environment called ``dev``, as the account's owner sees it.

    Args:
        endpoint: Of the emulator.
        system: Whose environment it is.
        folder: For the files of tasks.
    """

    def __init__(self, endpoint: str, system: str, folder: Path) -> None:
        address = AwsAddress(region=REGION, endpoint=endpoint, access=ACCOUNT, secret="secret")
        self._clients = {name: AwsClient(name, address) for name in _INTERFACES}
        self._endpoint, self._system, self._folder = endpoint, system, folder
        self._spelled = set[str]()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for role in self._spelled:
            await self.ask("iam", "delete_role_policy", RoleName=role, PolicyName="emulated")
        for one in self._clients.values():
            await one.close()

    async def ask(self, interface: str, operation: str, **asked: Any) -> Any:
        """Ask one of Amazon's interfaces."""
        return await self._clients[interface].ask(operation, **asked)

    async def task(self, name: str) -> Task:
        """Find a task, and lend it its role as ECS does."""
        found = (await self.ask("ecs", "describe_task_definition", taskDefinition=f"{self._system}-dev-{name}"))[
            "taskDefinition"
        ]
        place = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": self._endpoint}
        told = {**place, **await self._lent(found["taskRoleArn"], name)}
        return Task(found, self._folder / name, told, self._clients["secretsmanager"])

    async def fill_in(self, texts: Mapping[str, str]) -> None:
        """Fill in secrets, by what they are called within the environment."""
        for name, text in texts.items():
            await self.ask(
                "secretsmanager", "put_secret_value", SecretId=f"{self._system}-dev/{name}", SecretString=text
            )

    async def ask_as(self, name: str, interface: str, operation: str, asked: Mapping[str, Any]) -> None:
        """Ask an interface in the role of a task."""
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in (await self.task(name)).told.items():
                patch.setenv(variable, value)
            client = AwsClient(interface, AwsAddress(region=REGION, endpoint=self._endpoint))
            try:
                await client.ask(operation, **asked)
            finally:
                await client.close()

    async def _spell(self, role: str) -> None:
        """Say the rights of a role once more where the emulator asks for them in other words."""
        found: list[Mapping[str, object]] = []
        for name in (await self.ask("iam", "list_role_policies", RoleName=role))["PolicyNames"]:
            said = (await self.ask("iam", "get_role_policy", RoleName=role, PolicyName=name))["PolicyDocument"]
            for one in said["Statement"]:
                spelled = [_SPELLED[action] for action in one["Action"] if action in _SPELLED]
                unnamed = [action for action in one["Action"] if action in _UNNAMED]
                found += [{**one, "Action": spelled}] if spelled else []
                found += [{**one, "Action": unnamed, "Resource": "*"}] if unnamed else []
        if found:
            text = _policy(*found)
            await self.ask("iam", "put_role_policy", RoleName=role, PolicyName="emulated", PolicyDocument=text)
            self._spelled.add(role)

    async def _lent(self, role: str, name: str) -> dict[str, str]:
        """Lend the keys of a role; it trusts ECS alone, which we play, so it is told to trust us."""
        own = role.rpartition("/")[2]
        await self.ask("iam", "update_assume_role_policy", RoleName=own, PolicyDocument=_policy(_OURS))
        if own not in self._spelled:
            await self._spell(own)
        lent = (await self.ask("sts", "assume_role", RoleArn=role, RoleSessionName=name))["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": lent["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": lent["SecretAccessKey"],
            "AWS_SESSION_TOKEN": lent["SessionToken"],
        }


def _policy(*statements: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
