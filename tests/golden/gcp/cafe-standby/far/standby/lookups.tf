# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

data "google_compute_network" "main" {
  name = "cafe"
}

data "google_secret_manager_secret_version" "till_password" {
  secret = data.google_secret_manager_secret.till_password.id
}

data "google_secret_manager_secret_version" "menu_password" {
  secret = data.google_secret_manager_secret.menu_password.id
}

data "google_secret_manager_secret" "till_password" {
  secret_id = "till_password"
}

data "google_secret_manager_secret" "menu_password" {
  secret_id = "menu_password"
}
