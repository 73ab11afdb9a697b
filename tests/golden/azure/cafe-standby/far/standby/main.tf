# Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
# beside it.

terraform {
  required_version = ">= 1.11"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.55"
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.7"
    }
  }

  # The state holds passwords: its account is made by hand, and read by whoever applies alone.
  backend "azurerm" {
    resource_group_name  = "cafe-standby-state"
    storage_account_name = "cafefarstandbystata9fd02"
    container_name       = "far-standby"
    key                  = "system.tfstate"
    use_azuread_auth     = true
  }
}

provider "azurerm" {
  resource_provider_registrations = "none"
  resource_providers_to_register = [
    "Microsoft.ApiManagement",
    "Microsoft.App",
    "Microsoft.Cache",
    "Microsoft.ContainerRegistry",
    "Microsoft.ContainerService",
    "Microsoft.DBforPostgreSQL",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.ServiceBus",
    "Microsoft.Storage",
    "Microsoft.Web",
  ]
  storage_use_azuread = true

  features {
    key_vault {
      purge_soft_delete_on_destroy    = false
      recover_soft_deleted_key_vaults = true
    }

    resource_group {
      prevent_deletion_if_contains_resources = true
    }
  }
}

data "azurerm_client_config" "own" {}

variable "take_over" {
  description = "Whether this region takes over: its databases no longer follow the first region's, which cannot be undone, and its services run. End what runs in the first region before, if it is there."
  type        = bool
  default     = false
  nullable    = false
}

variable "spread" {
  description = "Whether engines here are in a second zone, too. Say it once services answer: until it is done, nothing that needs them starts."
  type        = bool
  default     = false
  nullable    = false
}

variable "fenced" {
  description = "Whether nothing runs here, because the other region writes: two that write are worse than none that answers."
  type        = bool
  default     = false
  nullable    = false
}

locals {
  tags = {
    system      = "cafe"
    environment = "far-standby"
    managed-by  = "terraform"
  }
}

resource "azurerm_resource_group" "main" {
  name     = "cafe-far-standby"
  location = "centralus"
  tags     = local.tags
}
