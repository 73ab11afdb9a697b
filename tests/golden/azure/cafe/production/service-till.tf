# Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "random_password" "till-postgres" {
  length      = 40
  special     = false
  min_lower   = 1
  min_upper   = 1
  min_numeric = 1
}

resource "azurerm_key_vault_secret" "till_store-url" {
  name         = "cafe-till-store-url"
  key_vault_id = azurerm_key_vault.main.id
  content_type = "SHOAL_STORE_URL: where it finds its engine."
  value        = "postgres://till:${random_password.till-postgres.result}@${azurerm_postgresql_flexible_server.till.fqdn}:5432/till?sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt"
  tags         = local.tags
  depends_on   = [azurerm_role_assignment.applies]
}

resource "azurerm_key_vault_secret" "till_signing-key" {
  name             = "cafe-till-signing-key"
  key_vault_id     = azurerm_key_vault.main.id
  content_type     = "The file signing-key.json, which signs tokens; somebody fills it in."
  value_wo         = "to be filled in"
  value_wo_version = 1
  tags             = local.tags
  depends_on       = [azurerm_role_assignment.applies]

  lifecycle {
    ignore_changes = [value, value_wo_version]
  }
}

# Takes what guests pay, and tells it.
# Declared in cafe/till.py:12.
resource "azurerm_container_app" "till" {
  name                         = "till"
  container_app_environment_id = azurerm_container_app_environment.main.id
  resource_group_name          = azurerm_resource_group.main.name
  revision_mode                = "Single"
  workload_profile_name        = "Consumption"
  tags                         = local.tags
  depends_on = [
    azurerm_role_assignment.till-0,
    azurerm_role_assignment.till-1,
    azurerm_role_assignment.till-2,
    azurerm_role_assignment.till-3,
    azurerm_private_endpoint.vault,
    azurerm_private_dns_zone_virtual_network_link.vault,
  ]

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.till.id]
  }

  registry {
    server   = azurerm_container_registry.main.login_server
    identity = azurerm_user_assigned_identity.till.id
  }

  secret {
    name                = "cafe-till-store-url"
    key_vault_secret_id = azurerm_key_vault_secret.till_store-url.versionless_id
    identity            = azurerm_user_assigned_identity.till.id
  }

  secret {
    name                = "cafe-jwks"
    key_vault_secret_id = azurerm_key_vault_secret._jwks.versionless_id
    identity            = azurerm_user_assigned_identity.till.id
  }

  secret {
    name                = "cafe-till-signing-key"
    key_vault_secret_id = azurerm_key_vault_secret.till_signing-key.versionless_id
    identity            = azurerm_user_assigned_identity.till.id
  }

  # Reached from inside the network alone; what calls by plain HTTP is encrypted between the
  # replicas.
  ingress {
    external_enabled           = true
    target_port                = 8080
    transport                  = "auto"
    allow_insecure_connections = true

    traffic_weight {
      latest_revision = true
      percentage      = 100
    }
  }

  template {
    min_replicas                     = 2
    max_replicas                     = 4
    termination_grace_period_seconds = 30

    container {
      name    = "till"
      image   = "${azurerm_container_registry.main.login_server}/till:0.1.0"
      command = ["python", "-m", "shoal.runtime"]
      cpu     = 0.25
      memory  = "0.5Gi"

      env {
        name  = "SHOAL_SYSTEM"
        value = "cafe"
      }

      env {
        name  = "SHOAL_ENTRY"
        value = "cafe.till:till"
      }

      env {
        name  = "SHOAL_VERSION"
        value = "0.1.0"
      }

      env {
        name  = "SHOAL_LISTEN"
        value = "tcp:0.0.0.0:8080"
      }

      env {
        name  = "SHOAL_VOUCHED"
        value = "false"
      }

      env {
        name  = "SHOAL_MESH"
        value = "http://{service}"
      }

      env {
        name  = "SHOAL_DRAIN"
        value = "10"
      }

      env {
        name  = "SHOAL_JWKS"
        value = "/etc/shoal/files/cafe-jwks"
      }

      env {
        name  = "SHOAL_ISSUER"
        value = "https://cafe.example"
      }

      env {
        name  = "SHOAL_AUDIENCE"
        value = "cafe"
      }

      env {
        name  = "SHOAL_SIGNING_KEY"
        value = "/etc/shoal/files/cafe-till-signing-key"
      }

      env {
        name  = "AZURE_CLIENT_ID"
        value = azurerm_user_assigned_identity.till.client_id
      }

      env {
        name  = "SHOAL_BROKER_URL"
        value = "servicebus://${azurerm_servicebus_namespace.main.name}.servicebus.windows.net"
      }

      env {
        name        = "SHOAL_STORE_URL"
        secret_name = azurerm_key_vault_secret.till_store-url.name
      }

      volume_mounts {
        name = "files"
        path = "/etc/shoal/files"
      }

      startup_probe {
        transport               = "HTTP"
        path                    = "/health"
        port                    = 8080
        timeout                 = 5
        interval_seconds        = 15
        failure_count_threshold = 10
      }

      liveness_probe {
        transport               = "HTTP"
        path                    = "/health"
        port                    = 8080
        timeout                 = 5
        interval_seconds        = 15
        failure_count_threshold = 3
      }

      readiness_probe {
        transport               = "HTTP"
        path                    = "/ready"
        port                    = 8080
        timeout                 = 5
        interval_seconds        = 5
        failure_count_threshold = 3
      }
    }

    volume {
      name         = "files"
      storage_type = "Secret"
    }

    custom_scale_rule {
      name             = "processor"
      custom_rule_type = "cpu"
      metadata = {
        type  = "Utilization"
        value = "70"
      }
    }

    custom_scale_rule {
      name             = "memory"
      custom_rule_type = "memory"
      metadata = {
        type  = "Utilization"
        value = "80"
      }
    }
  }
}

# Declared in cafe/till.py:12.
resource "azurerm_postgresql_flexible_server" "till" {
  name                              = "cafe-production-till-b42c0"
  resource_group_name               = azurerm_resource_group.main.name
  location                          = azurerm_resource_group.main.location
  version                           = "17"
  sku_name                          = "GP_Standard_D2ds_v5"
  storage_mb                        = 32768
  auto_grow_enabled                 = true
  administrator_login               = "till"
  administrator_password_wo         = random_password.till-postgres.result
  administrator_password_wo_version = 1
  delegated_subnet_id               = azurerm_subnet.data.id
  private_dns_zone_id               = azurerm_private_dns_zone.postgres.id
  public_network_access_enabled     = false
  backup_retention_days             = 7
  geo_redundant_backup_enabled      = false
  tags                              = local.tags
  depends_on                        = [azurerm_private_dns_zone_virtual_network_link.postgres]

  high_availability {
    mode = "ZoneRedundant"
  }

  lifecycle {
    # Its disk grows by itself, and Terraform would make a server anew to have it smaller.
    ignore_changes = [zone, high_availability[0].standby_availability_zone, storage_mb]
  }
}

resource "azurerm_postgresql_flexible_server_database" "till" {
  name      = "till"
  server_id = azurerm_postgresql_flexible_server.till.id
  collation = "en_US.utf8"
  charset   = "UTF8"
}

resource "azurerm_management_lock" "postgres-till" {
  name       = "postgres-till"
  scope      = azurerm_postgresql_flexible_server.till.id
  lock_level = "CanNotDelete"
  notes      = "Holds data. Take the lock away first, on purpose."
}

# Declared in cafe/till.py:12.
resource "azurerm_user_assigned_identity" "till" {
  name                = "cafe-production-till"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  tags                = local.tags
}

# Its image.
resource "azurerm_role_assignment" "till-0" {
  scope                = azurerm_container_registry.main.id
  role_definition_name = "AcrPull"
  principal_id         = azurerm_user_assigned_identity.till.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "till-1" {
  scope                = azurerm_key_vault_secret.till_store-url.resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_user_assigned_identity.till.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "till-2" {
  scope                = azurerm_key_vault_secret._jwks.resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_user_assigned_identity.till.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "till-3" {
  scope                = azurerm_key_vault_secret.till_signing-key.resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_user_assigned_identity.till.principal_id
  principal_type       = "ServicePrincipal"
}

# Its own events.
resource "azurerm_role_assignment" "till-4" {
  scope                = azurerm_servicebus_topic.CAFE_TILL.id
  role_definition_name = "Azure Service Bus Data Sender"
  principal_id         = azurerm_user_assigned_identity.till.principal_id
  principal_type       = "ServicePrincipal"
}

# Which streams there are.
resource "azurerm_role_assignment" "till-5" {
  scope                = azurerm_servicebus_subscription.shoal_declared_shoal_letters.id
  role_definition_name = "Azure Service Bus Data Receiver"
  principal_id         = azurerm_user_assigned_identity.till.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_monitor_metric_alert" "till-busy" {
  name                = "cafe-production-till-busy"
  resource_group_name = azurerm_resource_group.main.name
  scopes              = [azurerm_container_app.till.id]
  description         = "It has as many replicas as it may have, and they are busy."
  severity            = 2
  frequency           = "PT5M"
  window_size         = "PT15M"
  tags                = local.tags

  criteria {
    metric_namespace = "Microsoft.App/containerApps"
    metric_name      = "UsageNanoCores"
    aggregation      = "Average"
    operator         = "GreaterThan"
    threshold        = 225000000
  }

  action {
    action_group_id = azurerm_monitor_action_group.main.id
  }
}

resource "azurerm_monitor_metric_alert" "till-restarts" {
  name                = "cafe-production-till-restarts"
  resource_group_name = azurerm_resource_group.main.name
  scopes              = [azurerm_container_app.till.id]
  description         = "It ends again and again."
  severity            = 2
  frequency           = "PT1M"
  window_size         = "PT5M"
  tags                = local.tags

  criteria {
    metric_namespace = "Microsoft.App/containerApps"
    metric_name      = "RestartCount"
    aggregation      = "Maximum"
    operator         = "GreaterThan"
    threshold        = 3
  }

  action {
    action_group_id = azurerm_monitor_action_group.main.id
  }
}

resource "azurerm_monitor_metric_alert" "till-errors" {
  name                = "cafe-production-till-errors"
  resource_group_name = azurerm_resource_group.main.name
  scopes              = [azurerm_container_app.till.id]
  description         = "It answers with 500 and above."
  severity            = 2
  frequency           = "PT1M"
  window_size         = "PT5M"
  tags                = local.tags

  criteria {
    metric_namespace = "Microsoft.App/containerApps"
    metric_name      = "Requests"
    aggregation      = "Total"
    operator         = "GreaterThan"
    threshold        = 10

    dimension {
      name     = "statusCodeCategory"
      operator = "Include"
      values   = ["5xx"]
    }
  }

  action {
    action_group_id = azurerm_monitor_action_group.main.id
  }
}

resource "azurerm_monitor_metric_alert" "till-waiting" {
  name                = "cafe-production-till-waiting"
  resource_group_name = azurerm_resource_group.main.name
  scopes              = [azurerm_servicebus_namespace.main.id]
  description         = "Messages of CAFE_TILL are not heard by somebody."
  severity            = 2
  frequency           = "PT5M"
  window_size         = "PT15M"
  tags                = local.tags

  criteria {
    metric_namespace = "Microsoft.ServiceBus/Namespaces"
    metric_name      = "ActiveMessages"
    aggregation      = "Average"
    operator         = "GreaterThan"
    threshold        = 10000

    dimension {
      name     = "EntityName"
      operator = "Include"
      values   = ["cafe_till"]
    }
  }

  action {
    action_group_id = azurerm_monitor_action_group.main.id
  }
}

resource "azurerm_monitor_metric_alert" "till-disk" {
  name                = "cafe-production-till-disk"
  resource_group_name = azurerm_resource_group.main.name
  scopes              = [azurerm_postgresql_flexible_server.till.id]
  description         = "Its disk is nearly full."
  severity            = 2
  frequency           = "PT1M"
  window_size         = "PT5M"
  tags                = local.tags

  criteria {
    metric_namespace = "Microsoft.DBforPostgreSQL/flexibleServers"
    metric_name      = "storage_percent"
    aggregation      = "Maximum"
    operator         = "GreaterThan"
    threshold        = 85
  }

  action {
    action_group_id = azurerm_monitor_action_group.main.id
  }
}

resource "azurerm_monitor_metric_alert" "till-database" {
  name                = "cafe-production-till-database"
  resource_group_name = azurerm_resource_group.main.name
  scopes              = [azurerm_postgresql_flexible_server.till.id]
  description         = "It has been busy for a quarter of an hour."
  severity            = 2
  frequency           = "PT5M"
  window_size         = "PT15M"
  tags                = local.tags

  criteria {
    metric_namespace = "Microsoft.DBforPostgreSQL/flexibleServers"
    metric_name      = "cpu_percent"
    aggregation      = "Average"
    operator         = "GreaterThan"
    threshold        = 90
  }

  action {
    action_group_id = azurerm_monitor_action_group.main.id
  }
}
