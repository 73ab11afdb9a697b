"""Variables become files, where a platform hands out no others."""

from pathlib import Path

import pytest

from shoal.errors import SettingsError
from shoal.runtime.config import ServiceConfig
from shoal.runtime.unpacking import unpack


def test_variables_become_files_and_again(tmp_path: Path) -> None:
    for text in ('{"keys": []}', "other"):
        unpack(tmp_path / "files", ["jwks.json=KEYS"], {"KEYS": text})
        assert (tmp_path / "files" / "jwks.json").read_text("utf-8") == text


@pytest.mark.parametrize("file", ["jwks.json", "../x=KEYS", "a/b=KEYS", "=KEYS", "x=OTHER"])
def test_what_names_no_file_or_no_variable_is_refused(tmp_path: Path, file: str) -> None:
    with pytest.raises(SettingsError):
        unpack(tmp_path, [file], {"KEYS": "x"})


def test_instances_on_cloud_run_are_told_apart() -> None:
    environ = {"SHOAL_SYSTEM": "s", "SHOAL_ENTRY": "a:b", "K_REVISION": "orders-00001"}
    names = {ServiceConfig.from_environ(environ).replica for _ in range(3)}
    assert len(names) == 3
    assert ServiceConfig.from_environ({**environ, "SHOAL_REPLICA": "7"}).replica == "7"


def test_a_replica_on_ecs_is_called_after_its_task() -> None:
    named = {"SHOAL_SYSTEM": "shop", "SHOAL_ENTRY": "a:b"}
    task = {"ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/0a1b2c3d-0123456789"}
    assert ServiceConfig.from_environ({**named, **task}).replica == "0a1b2c3d"
    assert ServiceConfig.from_environ({**named, **task, "SHOAL_REPLICA": "2"}).replica == "2"
    assert ServiceConfig.from_environ(named).replica == "0"
