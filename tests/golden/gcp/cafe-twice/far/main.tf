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
    bucket = "cafe-far-state"
    prefix = "cafe"
  }
}

provider "google" {
  project = "cafe-far"
  region  = "us-central1"
  default_labels = {
    system      = "cafe"
    environment = "far"
    managed-by  = "terraform"
  }
}

provider "google-beta" {
  project = "cafe-far"
  region  = "us-central1"
  default_labels = {
    system      = "cafe"
    environment = "far"
    managed-by  = "terraform"
  }
}

data "google_project" "own" {}
