"""What a person reads in the folder of a second region: how it is prepared, and how it takes over. Pure."""

from collections.abc import Iterator, Sequence

from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.resources import Documents, Operator, Postgres, Secret
from shoal.deploy.aws.secrets import called
from shoal.deploy.cloud.steps import numbered, table, typed

_FIRST = "us-east-1"
"""Region of which S3 is not told that a bucket is there: it is where buckets are by themselves."""


def state(context: Context) -> tuple[str, ...]:
    """Say how the bucket of the state is made, which no Terraform makes."""
    bucket, region = context.scope.state, context.scope.environment.region
    elsewhere = f" \\\n  --create-bucket-configuration LocationConstraint={region}" if region != _FIRST else ""
    made = f"aws s3api create-bucket --bucket {bucket} --region {region}{elsewhere}"
    blocked = "BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
    return (
        "Make the bucket of the state. Where somebody else in the world has its name, write another (`state = ...`)",
        "into the environment's file, and deploy again.",
        *typed(
            *made.splitlines(),
            f"aws s3api put-public-access-block --bucket {bucket} \\",
            f"  --public-access-block-configuration {blocked}",
            f"aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled",
            "terraform init",
        ),
    )


def by_hand(context: Context) -> tuple[str, ...]:
    """List the secrets that somebody fills in here; nothing where there are none."""
    asked = [one for one in context.all(Secret) if one.text is None and one.place == "here"]
    return table(("Secret", "What it is"), [(f"`{called(context.scope, one.name)}`", one.purpose) for one in asked])


def lines(context: Context) -> Iterator[str]:
    """Write the page, line by line."""
    scope = context.scope
    first = scope.origin().environment
    yield f"# {scope.system} in {first.name}, its second region ({scope.environment.region})"
    yield ""
    yield "Written by `shoal deploy aws`. Nothing is applied by it."
    yield ""
    yield "## Prepare it"
    yield ""
    yield from numbered(_prepared(context))
    yield ""
    yield "## Take over"
    yield ""
    yield "1. End what runs in the first region, if it can be reached: two that write are worse than none that answers."
    yield ""
    yield "   ```"
    yield "   terraform -chdir=.. apply -var fenced=true"
    yield "   ```"
    yield ""
    yield "2. Here:"
    yield ""
    yield "   ```"
    yield "   terraform apply -var take_over=true"
    yield "   ```"
    yield ""
    yield "   From now on it is always applied with it: write `take_over = true` into `terraform.tfvars`."
    if context.all(Operator):
        yield "3. Declare the streams, as after each change of events: `terraform output tasks` has the names."
    yield ""
    if any(isinstance(one, Postgres | Documents) for one in context.resources):
        yield "Databases that have taken over follow nobody again: the way back is another move, not a variable."


def _prepared(context: Context) -> Iterator[Sequence[str]]:
    first, secrets = context.scope.origin().environment, by_hand(context)
    yield (f"Apply the folder above ({first.region}): it makes what it copies: keys, images, objects and secrets.",)
    yield state(context)
    yield ("Push the images once more, or copy them: what was pushed before it was copied stays where it is.",)
    yield ("`terraform apply` here, and read the plan.",)
    if secrets:
        yield ("Fill in what this region has for itself, as in the first:", *secrets)
