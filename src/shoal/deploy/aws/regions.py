"""Regions of AWS ("Regions and Zones"). Pure data."""

import re

KNOWN = (
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
    "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1",
    "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
    "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2",
)  # fmt: skip

_WHERE = "central|east|north|northeast|northwest|south|southeast|southwest|west"

USUAL = re.compile(rf"[a-z]{{2}}(-[a-z]+)?-({_WHERE})-[1-9]")
"""Form of their names; a new one has it, too."""

TWO_ZONES = frozenset({"us-west-1"})
"""Regions that show an account no more than two zones."""
