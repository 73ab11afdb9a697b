"""Regions of Azure, as its programs write them ("List of Azure regions"). Pure data."""

import re

KNOWN = (
    "australiacentral", "australiacentral2", "australiaeast", "australiasoutheast", "austriaeast", "belgiumcentral",
    "brazilsouth", "brazilsoutheast", "canadacentral", "canadaeast", "centralindia", "centralus", "chilecentral",
    "denmarkeast", "eastasia", "eastus", "eastus2", "francecentral", "francesouth", "germanynorth",
    "germanywestcentral", "indonesiacentral", "israelcentral", "italynorth", "japaneast", "japanwest",
    "jioindiacentral", "jioindiawest", "koreacentral", "koreasouth", "malaysiawest", "mexicocentral",
    "newzealandnorth", "northcentralus", "northeurope", "norwayeast", "norwaywest", "polandcentral", "qatarcentral",
    "southafricanorth", "southafricawest", "southcentralus", "southeastasia", "southindia", "spaincentral",
    "swedencentral", "swedensouth", "switzerlandnorth", "switzerlandwest", "uaecentral", "uaenorth", "uksouth",
    "ukwest", "westcentralus", "westeurope", "westindia", "westus", "westus2", "westus3",
)  # fmt: skip

_WHERE = "central|east|north|northcentral|northeast|south|southcentral|southeast|west|westcentral"
_LANDS = (
    "asia|australia|austria|belgium|brazil|canada|chile|denmark|europe|finland|france|germany|greece|india|indonesia"
    "|israel|italy|japan|jioindia|korea|malaysia|mexico|newzealand|norway|poland|qatar|saudiarabia|southafrica|spain"
    "|sweden|switzerland|taiwan|uae|uk|us|china|usgov"
)

USUAL = re.compile(rf"(({_WHERE})({_LANDS})|({_LANDS})({_WHERE}))[1-9]?")
"""Form of their names: a direction and a land, in either order, and a number; a new one has it, too."""
