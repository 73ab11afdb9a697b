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
    bucket       = "cafe-production-state"
    key          = "system.tfstate"
    region       = "eu-central-1"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = "eu-central-1"

  default_tags {
    tags = {
      system      = "cafe"
      environment = "production"
      managed-by  = "terraform"
    }
  }
}

data "aws_caller_identity" "own" {}
