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

variable "copy" {
  description = "One more for each time that copies are made anew: a name is free a week after its database was removed."
  type        = number
  default     = 1
  nullable    = false
}
