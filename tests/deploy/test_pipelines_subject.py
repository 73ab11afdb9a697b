"""Whose pipelines deliver: GitHub's tokens name a repository, and since July 2026 by its numbers, too."""

import pytest

from shoal.deploy.aws import settings as aws
from shoal.deploy.azure import settings as azure
from shoal.deploy.gcp import settings as gcp
from shoal.errors import DeclarationError
from tests.deploy.aws.samples import artifacts as on_aws
from tests.deploy.azure.samples import artifacts as on_azure
from tests.deploy.gcp.samples import artifacts as on_google
from tests.deploy.samples import CAFE

NUMBERED = "example@123/shop@456"


@pytest.mark.parametrize("repository", ["example/shop", NUMBERED])
def test_a_token_of_that_repository_and_environment_is_believed_and_no_other(repository: str) -> None:
    for made in (
        on_aws(CAFE, aws.Environment(name="p", repository=repository)),
        on_azure(CAFE, azure.Environment(name="p", repository=repository)),
        on_google(CAFE, gcp.Environment(name="p", repository=repository)),
    ):
        text = "".join(one.text for one in made if one.path.endswith((".tf", ".bicep")))
        assert f"repo:{repository}:environment:p" in text
        assert "repo:*" not in text


def test_google_asks_for_the_numbers_where_they_are_said() -> None:
    for repository, condition in (
        ("example/shop", "assertion.repository == 'example/shop'"),
        (NUMBERED, "assertion.repository_owner_id == '123' && assertion.repository_id == '456'"),
    ):
        made = on_google(CAFE, gcp.Environment(name="p", repository=repository))
        assert condition in "".join(one.text for one in made)


@pytest.mark.parametrize("read", [aws.read, azure.read, gcp.read], ids=["aws", "azure", "gcp"])
@pytest.mark.parametrize(
    "odd", ["example", "example/*", "a/b' || true", "a/b:ref:refs/heads/x", "a@1/b", "a/b@1", "a/b/c"]
)
def test_what_is_no_repository_is_refused(read: object, odd: str) -> None:
    with pytest.raises(DeclarationError, match="is no repository"):
        read(f'name = "p"\nrepository = "{odd}"\n', where="targets/p.toml")  # type: ignore[operator]
