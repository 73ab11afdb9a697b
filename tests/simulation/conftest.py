"""``pytest tests/simulation --seed N`` runs one seed of the shop, with everything that happened under it."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=None, help="the one seed of the simulation to run")


@pytest.fixture
def seed(pytestconfig: pytest.Config) -> int | None:
    found: int | None = pytestconfig.getoption("--seed", None)
    return found
