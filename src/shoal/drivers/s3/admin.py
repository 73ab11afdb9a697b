"""The operator's side: makes buckets, and has them let go of uploads that nobody finishes."""

from collections.abc import Sequence

from shoal.drivers.aws.address import AwsAddress
from shoal.drivers.aws.client import AwsClient, AwsRefusal
from shoal.errors import EngineError

_THERE = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})

_FIRST = "us-east-1"
"""The region that is meant when none is said, and may not be said."""

_RULES = {
    "Rules": [
        {
            "ID": "unfinished",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
        }
    ]
}
"""Parts of an upload whose writer died are stored, and paid for, until somebody removes them."""


class S3Admin:
    """Implements `base.objects.ObjectsAdmin`."""

    def __init__(self, address: AwsAddress) -> None:
        self._address = address
        self._client = AwsClient("s3", address)

    async def declare(self, places: Sequence[str]) -> None:
        """Make buckets."""
        try:
            for bucket in places:
                await self._make(bucket)
        finally:
            await self._client.close()

    async def _make(self, bucket: str) -> None:
        region = self._address.region
        where = {} if region in ("", _FIRST) else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            try:
                await self._client.ask("create_bucket", Bucket=bucket, **where)
            except AwsRefusal as refusal:
                if refusal.code not in _THERE:
                    raise
            await self._client.ask("put_bucket_lifecycle_configuration", Bucket=bucket, LifecycleConfiguration=_RULES)
        except AwsRefusal as refusal:
            raise EngineError(f"{self._address.place} did not make the bucket {bucket}: {refusal}") from refusal
