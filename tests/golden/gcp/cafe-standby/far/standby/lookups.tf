# Written by `shoal deploy gcp`; changes are lost. Resources of yours go into files of other names
# beside it.

data "google_compute_network" "main" {
  name = "cafe"
}

data "google_secret_manager_secret_version" "till_database-password" {
  secret = data.google_secret_manager_secret.till_database-password.id
}

data "google_secret_manager_secret_version" "menu_database-password" {
  secret = data.google_secret_manager_secret.menu_database-password.id
}

data "google_secret_manager_secret" "till_database-password" {
  secret_id = "till_database-password"
}

data "google_secret_manager_secret" "menu_database-password" {
  secret_id = "menu_database-password"
}
