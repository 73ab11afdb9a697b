"""Regions of Azure that are each other's pair, to which objects are copied ("Azure paired regions"). Pure data."""

_PAIRS = (
    ("australiaeast", "australiasoutheast"), ("canadacentral", "canadaeast"), ("centralindia", "southindia"),
    ("centralus", "eastus2"), ("eastasia", "southeastasia"), ("eastus", "westus"), ("francecentral", "francesouth"),
    ("germanywestcentral", "germanynorth"), ("japaneast", "japanwest"), ("koreacentral", "koreasouth"),
    ("northcentralus", "southcentralus"), ("northeurope", "westeurope"), ("norwayeast", "norwaywest"),
    ("southafricanorth", "southafricawest"), ("swedencentral", "swedensouth"), ("switzerlandnorth", "switzerlandwest"),
    ("uaenorth", "uaecentral"), ("uksouth", "ukwest"), ("westus2", "westcentralus"),
)  # fmt: skip

PAIRS = {one: other for first, second in _PAIRS for one, other in ((first, second), (second, first))}
"""Region → its pair; the newer regions have none."""
