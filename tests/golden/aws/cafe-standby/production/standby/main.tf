# Written by `shoal deploy aws`; changes are lost. Resources of yours go into files of other names
# beside it.

terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.7"
    }
  }

  # The state holds passwords: its bucket is encrypted, versioned, and read by whoever applies
  # alone.
  backend "s3" {
    bucket       = "cafe-production-standby-state"
    key          = "system.tfstate"
    region       = "eu-west-1"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = "eu-west-1"

  default_tags {
    tags = {
      system      = "cafe"
      environment = "production-standby"
      managed-by  = "terraform"
    }
  }
}

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

data "aws_caller_identity" "own" {}
