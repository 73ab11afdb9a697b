"""What a person reads in the folder of a second region: how it is prepared, and how it takes over. Pure."""

from collections.abc import Iterator

from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.resources import Documents, Operator, Postgres, Secret
from shoal.deploy.aws.secrets import called


def by_hand(context: Context) -> Iterator[str]:
    """List the secrets that somebody fills in here."""
    yield "| Secret | What it is |"
    yield "|---|---|"
    for one in context.all(Secret):
        if one.text is None and one.place == "here":
            yield f"| `{called(context.scope, one.name)}` | {one.purpose} |"


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
    yield f"1. Apply the folder above ({first.region}): it makes what it copies: keys, images, objects and secrets."
    yield f"2. Make the bucket of the state in {scope.environment.region}, versioned, encrypted (`main.tf` names it)."
    yield "3. Push the images once more, or copy them: what was pushed before it was copied stays where it is."
    yield "4. `terraform init` and `terraform apply` here, and read the plan."
    if any(one.text is None and one.place == "here" for one in context.all(Secret)):
        yield "5. Fill in what this region has for itself, as in the first:"
        yield ""
        yield from by_hand(context)
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
