# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

terraform {
  required_version = ">= 1.11"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
    google-beta = {
      source  = "hashicorp/google-beta"
      version = "~> 6.50"
    }
    random = {
      source  = "hashicorp/random"
      version = "~> 3.7"
    }
  }

  # The state holds passwords: its bucket has versions, and is read by whoever applies alone.
  backend "gcs" {
    bucket = "cafe-far-standby-state"
    prefix = "cafe"
  }
}

provider "google" {
  project = "cafe-far"
  region  = "us-east1"
  default_labels = {
    system      = "cafe"
    environment = "far-standby"
    managed-by  = "terraform"
  }
}

provider "google-beta" {
  project = "cafe-far"
  region  = "us-east1"
  default_labels = {
    system      = "cafe"
    environment = "far-standby"
    managed-by  = "terraform"
  }
}

data "google_project" "own" {}

variable "take_over" {
  description = "Whether this region is the one that works."
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
  description = "Whether what runs here is ended, so that no two regions write."
  type        = bool
  default     = false
  nullable    = false
}

variable "copy" {
  description = "One more for each time that copies are made anew: a name is free a week after its database was removed."
  type        = number
  default     = 1
  nullable    = false
}
