"""What a person reads in the folder of a second region: how it is prepared, takes over, and hands back. Pure."""

from collections.abc import Iterable, Iterator, Sequence

from shoal.deploy.aws import naming
from shoal.deploy.aws.hcl.context import Context
from shoal.deploy.aws.hcl.stores import spreads
from shoal.deploy.aws.reading import GLOBAL, by_hand, declared, state
from shoal.deploy.aws.resources import Address, Bucket, Documents, Postgres
from shoal.deploy.cloud.steps import numbered, typed
from shoal.deploy.cloud.taking_over import ENDED

_CAUGHT_UP = (
    "until `ReplicaLag` of each copy has fallen to 0 once, which takes up to five minutes: what a copy has not by then",
    "is lost.",
)
"""A copy of a database that nobody writes to says up to five minutes (RDS user guide, read replicas of PostgreSQL)."""


def page(context: Context) -> str:
    """Write the page."""
    return "\n".join(_lines(context)) + "\n"


def _lines(context: Context) -> Iterator[str]:
    scope = context.scope
    first = scope.origin().environment
    yield f"# {scope.system} in {first.name}, its second region ({scope.environment.region})"
    yield ""
    yield "Written by `shoal deploy aws`. Nothing is applied by it."
    for title, steps in (("Prepare it", _made), ("Take over", _taken), ("Go back", _returned)):
        yield ""
        yield f"## {title}"
        yield ""
        yield from numbered(steps(context))


def _made(context: Context) -> Iterator[Sequence[str]]:
    scope = context.scope
    first, region = scope.origin().environment, scope.environment.region
    yield (f"Apply the folder above ({first.region}): it makes what it copies: keys, images, objects and secrets.",)
    yield state(context)
    yield ("Push the images once more, or copy them: what was pushed before it was copied stays where it is.",)
    if context.all(Bucket):
        yield ("Objects, too, are copied from now on: let S3 copy those that there were before (Batch Replication).",)
    yield ("`terraform apply` here, and read the plan.",)
    if secrets := by_hand(context):
        yield ("Fill in what this region has for itself, as in the first:", "", *secrets)
    if context.all(Address):
        yield (
            f"Verify the domain of your letters in SES of {region}, too, and ask to be let out of its sandbox: both",
            "are of a region. An address of SMTP names its region: write that of this one into `[standby.settings]`.",
        )
    if first.alarms:
        yield (f"Whoever reads {first.alarms} confirms a second letter of SNS, or never hears that a copy is behind.",)
    yield (
        "Have a way in that does not lead through the first region: an Identity Center is in one region, and providers",
        "of Terraform come from its registry. `terraform init` here, and try who you are, before you need it.",
    )
    yield (
        f"Ask for the quotas of {region} that you have in {first.region}: addresses (EIP) and processors of Fargate",
        "above all. Nothing is reserved by this; whoever must have machines that day reserves them.",
    )


def _taken(context: Context) -> Iterator[Sequence[str]]:
    scope = context.scope
    first = scope.origin().environment
    yield (
        "End what runs in the first region, if it can be reached: two that write are worse than none that answers.",
        *typed("terraform -chdir=.. apply -var fenced=true"),
        "Write `fenced = true` into the `terraform.tfvars` of its folder.",
        *(("Where both regions answer, as when you try this, wait", *_CAUGHT_UP) if context.all(Postgres) else ()),
    )
    yield (
        f"Apply this folder. It starts version {scope.environment.version}, as the settings say: where the first",
        "region ran another, say so and write these files anew before.",
        *typed("terraform apply -var take_over=true"),
        "From now on it is always applied with it: write `take_over = true` into `terraform.tfvars`.",
        "Where the first region answers no more, its services lose their rights by this, so that they do no harm",
        "when it is back; fence it then all the same.",
    )
    if first.region == GLOBAL:
        yield (
            f"Where {GLOBAL} itself is gone, IAM and Route 53 answer nobody: add `-refresh=false`. Rights of the",
            "first region and the record of the API stay as they are, which Terraform says; lead clients otherwise.",
        )
    yield declared(context)
    if spreads(context):
        yield (
            "When it serves, put its engines into a second zone, too, and write `spread = true` beside that:",
            *typed("terraform apply -var take_over=true -var spread=true"),
        )
    yield (
        "Secrets that were copied cannot be changed here until each stands by itself:",
        *typed(
            f"aws secretsmanager stop-replication-to-replica --region {scope.environment.region} --secret-id NAME",
        ),
    )


def _returned(context: Context) -> Iterator[Sequence[str]]:
    first = context.scope.origin()
    yield ("End what runs in the first region, if it was not: `terraform -chdir=.. apply -var fenced=true`.",)
    databases = context.all(Postgres)
    if databases:
        yield (
            "Databases that have taken over follow nobody again. Let new ones in the first region follow these, while",
            "these still serve; the old ones get another name, and stay until somebody removes them:",
            *typed(*_followed(databases, context)),
        )
    yield (f"In a quiet hour, end what runs here: {ENDED}.",)
    if databases:
        promoted = (
            f"for name in {' '.join(_named(one, context) for one in databases)}; do",
            f'  aws rds promote-read-replica --region {first.environment.region} --db-instance-identifier "$name"',
            "done",
        )
        yield ("Nothing is written any more. Wait", *_CAUGHT_UP, "Then let the new ones write:", *typed(*promoted))
        known = (f"{one.name} {_named(one, context)}" for one in databases)
        yield (
            "Terraform knows a database by more than its name, so tell it which they are:",
            *typed(
                "while read -r label name; do",
                '  terraform -chdir=.. state rm "aws_db_instance.$label"',
                '  terraform -chdir=.. import "aws_db_instance.$label" "$name" </dev/null',
                *_listed(known),
            ),
        )
    if context.all(Documents):
        yield (
            "Clusters of documents: make a snapshot of each here, copy it, restore it there under the name of the old",
            "one, which gets another, and let Terraform know it by `state rm` and `import`, likewise.",
        )
    yield ("Let the first region work: `terraform -chdir=.. apply` without `fenced`, and look.",)
    yield from _again(context)


def _named(one: Postgres, context: Context) -> str:
    return context.scope.origin().named(one.name, limit=naming.DATABASE)


def _listed(rows: Iterable[str]) -> tuple[str, ...]:
    """End a loop with the rows that it reads."""
    return ("done <<END", *rows, "END")


def _followed(databases: Sequence[Postgres], context: Context) -> Iterator[str]:
    """Make what the first region has of each database once more, as a copy of the one that works."""
    scope, first = context.scope, context.scope.origin()
    there, here = first.environment.region, scope.environment.region
    yield "account=$(aws sts get-caller-identity --query Account --output text)"
    yield "while read -r there here; do"
    yield f"  aws rds modify-db-instance --region {there} --apply-immediately \\"
    yield '    --db-instance-identifier "$there" --new-db-instance-identifier "$there-old" &&'
    yield f'  aws rds wait db-instance-deleted --region {there} --db-instance-identifier "$there" &&'
    yield f"  aws rds create-db-instance-read-replica --region {there} --source-region {here} \\"
    yield f'    --db-instance-identifier "$there" --db-subnet-group-name {first.named()} \\'
    yield f'    --source-db-instance-identifier "arn:aws:rds:{here}:$account:db:$here" \\'
    yield f"    --kms-key-id alias/{first.named('data')} || break"
    yield from _listed(f"{_named(one, context)} {scope.named(one.name, limit=naming.DATABASE)}" for one in databases)


def _again(context: Context) -> Iterator[Sequence[str]]:
    scope, databases = context.scope, context.all(Postgres)
    said = "`take_over`, `fenced` and `spread`" if spreads(context) else "`take_over` and `fenced`"
    without = f"{said} are gone from `terraform.tfvars` by then. Clients are led back by it."
    if not databases:
        yield ("`terraform apply` here:", without)
        return
    closed = [scope.named(one.name, limit=naming.DATABASE) for one in databases if one.protected]
    opened = (
        f"for name in {' '.join(closed)}; do",
        f"  aws rds modify-db-instance --region {scope.environment.region} --apply-immediately \\",
        '    --db-instance-identifier "$name" --no-deletion-protection',
        "done",
    )
    made = [f"  -replace=aws_db_instance.{one.name}" for one in databases]
    begun = ["  -replace=terraform_data.begun"] if closed else []
    left = " A last snapshot of each database is left." if closed else ""
    yield (
        f"Let this region follow again.{left}",
        *typed(*(opened if closed else ()), *" \\\n".join(("terraform apply", *made, *begun)).splitlines()),
        without,
    )
