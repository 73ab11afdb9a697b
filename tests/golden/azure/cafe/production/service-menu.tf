# Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "azurerm_private_endpoint" "cache-menu" {
  name                = "cafe-production-cache-menu"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  subnet_id           = azurerm_subnet.inside.id
  tags                = local.tags

  private_service_connection {
    name                           = "redisEnterprise"
    private_connection_resource_id = azurerm_managed_redis.menu.id
    subresource_names              = ["redisEnterprise"]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "redisEnterprise"
    private_dns_zone_ids = [azurerm_private_dns_zone.cache.id]
  }
}

resource "random_password" "menu-postgres" {
  length      = 40
  special     = false
  min_lower   = 1
  min_upper   = 1
  min_numeric = 1
}

resource "azurerm_key_vault_secret" "menu_store-url" {
  name         = "cafe-menu-store-url"
  key_vault_id = azurerm_key_vault.main.id
  content_type = "SHOAL_STORE_URL: where it finds its engine."
  value        = "postgres://menu:${random_password.menu-postgres.result}@${azurerm_postgresql_flexible_server.menu.fqdn}:5432/menu?sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt"
  tags         = local.tags
  depends_on   = [azurerm_role_assignment.applies]
}

resource "azurerm_key_vault_secret" "menu_cache-url" {
  name         = "cafe-menu-cache-url"
  key_vault_id = azurerm_key_vault.main.id
  content_type = "SHOAL_CACHE_URL: where it finds its engine."
  value        = "valkeys://default:${urlencode(azurerm_managed_redis.menu.default_database[0].primary_access_key)}@${azurerm_managed_redis.menu.hostname}:10000/cafe:menu"
  tags         = local.tags
  depends_on   = [azurerm_role_assignment.applies]
}

# What there is, and what it costs.
# Declared in cafe/menu.py:9.
resource "azurerm_container_app" "menu" {
  name                         = "menu"
  container_app_environment_id = azurerm_container_app_environment.main.id
  resource_group_name          = azurerm_resource_group.main.name
  revision_mode                = "Single"
  workload_profile_name        = "Consumption"
  tags                         = local.tags
  depends_on = [
    azurerm_role_assignment.menu-0,
    azurerm_role_assignment.menu-1,
    azurerm_role_assignment.menu-2,
    azurerm_role_assignment.menu-3,
    azurerm_private_endpoint.vault,
    azurerm_private_dns_zone_virtual_network_link.vault,
  ]

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.menu.id]
  }

  registry {
    server   = azurerm_container_registry.main.login_server
    identity = azurerm_user_assigned_identity.menu.id
  }

  secret {
    name                = "cafe-menu-store-url"
    key_vault_secret_id = azurerm_key_vault_secret.menu_store-url.versionless_id
    identity            = azurerm_user_assigned_identity.menu.id
  }

  secret {
    name                = "cafe-menu-cache-url"
    key_vault_secret_id = azurerm_key_vault_secret.menu_cache-url.versionless_id
    identity            = azurerm_user_assigned_identity.menu.id
  }

  secret {
    name                = "cafe-jwks"
    key_vault_secret_id = azurerm_key_vault_secret._jwks.versionless_id
    identity            = azurerm_user_assigned_identity.menu.id
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
      name    = "menu"
      image   = "${azurerm_container_registry.main.login_server}/menu:0.1.0"
      command = ["python", "-m", "shoal.runtime"]
      cpu     = 0.25
      memory  = "0.5Gi"

      env {
        name  = "SHOAL_SYSTEM"
        value = "cafe"
      }

      env {
        name  = "SHOAL_ENTRY"
        value = "cafe.menu:menu"
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
        name  = "AZURE_CLIENT_ID"
        value = azurerm_user_assigned_identity.menu.client_id
      }

      env {
        name  = "SHOAL_BROKER_URL"
        value = "servicebus://${azurerm_servicebus_namespace.main.name}.servicebus.windows.net"
      }

      env {
        name        = "SHOAL_STORE_URL"
        secret_name = azurerm_key_vault_secret.menu_store-url.name
      }

      env {
        name        = "SHOAL_CACHE_URL"
        secret_name = azurerm_key_vault_secret.menu_cache-url.name
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

# Declared in cafe/menu.py:9.
resource "azurerm_postgresql_flexible_server" "menu" {
  name                              = "cafe-production-menu-b42c0"
  resource_group_name               = azurerm_resource_group.main.name
  location                          = azurerm_resource_group.main.location
  version                           = "17"
  sku_name                          = "GP_Standard_D2ds_v5"
  storage_mb                        = 32768
  auto_grow_enabled                 = true
  administrator_login               = "menu"
  administrator_password_wo         = random_password.menu-postgres.result
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

resource "azurerm_postgresql_flexible_server_database" "menu" {
  name      = "menu"
  server_id = azurerm_postgresql_flexible_server.menu.id
  collation = "en_US.utf8"
  charset   = "UTF8"
}

resource "azurerm_management_lock" "postgres-menu" {
  name       = "postgres-menu"
  scope      = azurerm_postgresql_flexible_server.menu.id
  lock_level = "CanNotDelete"
  notes      = "Holds data. Take the lock away first, on purpose."
}

# One for its owner alone: a Managed Redis knows no user who sees some keys and not others.
# Declared in cafe/menu.py:9.
resource "azurerm_managed_redis" "menu" {
  name                      = "cafe-production-menu-b42c0"
  resource_group_name       = azurerm_resource_group.main.name
  location                  = azurerm_resource_group.main.location
  sku_name                  = "Balanced_B0"
  high_availability_enabled = true
  public_network_access     = "Disabled"
  tags                      = local.tags

  default_database {
    client_protocol                    = "Encrypted"
    clustering_policy                  = "NoCluster"
    eviction_policy                    = "VolatileLRU"
    access_keys_authentication_enabled = true
  }
}

resource "azurerm_servicebus_subscription" "CAFE_TILL_menu-0" {
  name                = "menu-0"
  topic_id            = azurerm_servicebus_topic.CAFE_TILL.id
  requires_session    = true
  lock_duration       = "PT15S"
  max_delivery_count  = 2000
  default_message_ttl = "P7D"
}

resource "azurerm_servicebus_subscription_rule" "CAFE_TILL_menu-0_s-af0113158427" {
  name            = "s-af011315842718104324b3c19976fd9c"
  subscription_id = azurerm_servicebus_subscription.CAFE_TILL_menu-0.id
  filter_type     = "CorrelationFilter"

  correlation_filter {
    label = "cafe.event.till.sold.v1.0"
  }
}

resource "azurerm_servicebus_subscription" "CAFE_TILL_menu-1" {
  name                = "menu-1"
  topic_id            = azurerm_servicebus_topic.CAFE_TILL.id
  requires_session    = true
  lock_duration       = "PT15S"
  max_delivery_count  = 2000
  default_message_ttl = "P7D"
}

resource "azurerm_servicebus_subscription_rule" "CAFE_TILL_menu-1_s-88a429cdc836" {
  name            = "s-88a429cdc836fffb60ac5174ccd5393d"
  subscription_id = azurerm_servicebus_subscription.CAFE_TILL_menu-1.id
  filter_type     = "CorrelationFilter"

  correlation_filter {
    label = "cafe.event.till.sold.v1.1"
  }
}

resource "azurerm_servicebus_subscription" "CAFE_TILL_menu-2" {
  name                = "menu-2"
  topic_id            = azurerm_servicebus_topic.CAFE_TILL.id
  requires_session    = true
  lock_duration       = "PT15S"
  max_delivery_count  = 2000
  default_message_ttl = "P7D"
}

resource "azurerm_servicebus_subscription_rule" "CAFE_TILL_menu-2_s-75b631ce4928" {
  name            = "s-75b631ce4928e9e28a29dacef321fe35"
  subscription_id = azurerm_servicebus_subscription.CAFE_TILL_menu-2.id
  filter_type     = "CorrelationFilter"

  correlation_filter {
    label = "cafe.event.till.sold.v1.2"
  }
}

resource "azurerm_servicebus_subscription" "CAFE_TILL_menu-3" {
  name                = "menu-3"
  topic_id            = azurerm_servicebus_topic.CAFE_TILL.id
  requires_session    = true
  lock_duration       = "PT15S"
  max_delivery_count  = 2000
  default_message_ttl = "P7D"
}

resource "azurerm_servicebus_subscription_rule" "CAFE_TILL_menu-3_s-1cb114c48e10" {
  name            = "s-1cb114c48e10079f96cf3844b743eef0"
  subscription_id = azurerm_servicebus_subscription.CAFE_TILL_menu-3.id
  filter_type     = "CorrelationFilter"

  correlation_filter {
    label = "cafe.event.till.sold.v1.3"
  }
}

resource "azurerm_servicebus_subscription" "CAFE_MENU_DEAD_menu-again" {
  name               = "menu-again"
  topic_id           = azurerm_servicebus_topic.CAFE_MENU_DEAD.id
  requires_session   = true
  lock_duration      = "PT15S"
  max_delivery_count = 2000
}

resource "azurerm_servicebus_subscription_rule" "CAFE_MENU_DEAD_menu-again_s-83fed54e42af" {
  name            = "s-83fed54e42af8c2536078e9b4e724517"
  subscription_id = azurerm_servicebus_subscription.CAFE_MENU_DEAD_menu-again.id
  filter_type     = "CorrelationFilter"

  correlation_filter {
    label = "cafe.again.menu"
  }
}

# Declared in cafe/menu.py:9.
resource "azurerm_user_assigned_identity" "menu" {
  name                = "cafe-production-menu"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  tags                = local.tags
}

# Its image.
resource "azurerm_role_assignment" "menu-0" {
  scope                = azurerm_container_registry.main.id
  role_definition_name = "AcrPull"
  principal_id         = azurerm_user_assigned_identity.menu.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "menu-1" {
  scope                = azurerm_key_vault_secret.menu_store-url.resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_user_assigned_identity.menu.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "menu-2" {
  scope                = azurerm_key_vault_secret.menu_cache-url.resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_user_assigned_identity.menu.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "menu-3" {
  scope                = azurerm_key_vault_secret._jwks.resource_versionless_id
  role_definition_name = "Key Vault Secrets User"
  principal_id         = azurerm_user_assigned_identity.menu.principal_id
  principal_type       = "ServicePrincipal"
}

# Its own dead letters.
resource "azurerm_role_assignment" "menu-4" {
  scope                = azurerm_servicebus_topic.CAFE_MENU_DEAD.id
  role_definition_name = "Azure Service Bus Data Sender"
  principal_id         = azurerm_user_assigned_identity.menu.principal_id
  principal_type       = "ServicePrincipal"
}

# What it subscribed to.
resource "azurerm_role_assignment" "menu-5" {
  scope                = azurerm_servicebus_subscription.CAFE_TILL_menu-0.id
  role_definition_name = "Azure Service Bus Data Receiver"
  principal_id         = azurerm_user_assigned_identity.menu.principal_id
  principal_type       = "ServicePrincipal"
}

# What it subscribed to.
resource "azurerm_role_assignment" "menu-6" {
  scope                = azurerm_servicebus_subscription.CAFE_TILL_menu-1.id
  role_definition_name = "Azure Service Bus Data Receiver"
  principal_id         = azurerm_user_assigned_identity.menu.principal_id
  principal_type       = "ServicePrincipal"
}

# What it subscribed to.
resource "azurerm_role_assignment" "menu-7" {
  scope                = azurerm_servicebus_subscription.CAFE_TILL_menu-2.id
  role_definition_name = "Azure Service Bus Data Receiver"
  principal_id         = azurerm_user_assigned_identity.menu.principal_id
  principal_type       = "ServicePrincipal"
}

# What it subscribed to.
resource "azurerm_role_assignment" "menu-8" {
  scope                = azurerm_servicebus_subscription.CAFE_TILL_menu-3.id
  role_definition_name = "Azure Service Bus Data Receiver"
  principal_id         = azurerm_user_assigned_identity.menu.principal_id
  principal_type       = "ServicePrincipal"
}

# What it subscribed to.
resource "azurerm_role_assignment" "menu-9" {
  scope                = azurerm_servicebus_subscription.CAFE_MENU_DEAD_menu-again.id
  role_definition_name = "Azure Service Bus Data Receiver"
  principal_id         = azurerm_user_assigned_identity.menu.principal_id
  principal_type       = "ServicePrincipal"
}

# Which streams there are.
resource "azurerm_role_assignment" "menu-10" {
  scope                = azurerm_servicebus_subscription.shoal_declared_shoal_letters.id
  role_definition_name = "Azure Service Bus Data Receiver"
  principal_id         = azurerm_user_assigned_identity.menu.principal_id
  principal_type       = "ServicePrincipal"
}

resource "azurerm_monitor_metric_alert" "menu-busy" {
  name                = "cafe-production-menu-busy"
  resource_group_name = azurerm_resource_group.main.name
  scopes              = [azurerm_container_app.menu.id]
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

resource "azurerm_monitor_metric_alert" "menu-restarts" {
  name                = "cafe-production-menu-restarts"
  resource_group_name = azurerm_resource_group.main.name
  scopes              = [azurerm_container_app.menu.id]
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

resource "azurerm_monitor_metric_alert" "menu-errors" {
  name                = "cafe-production-menu-errors"
  resource_group_name = azurerm_resource_group.main.name
  scopes              = [azurerm_container_app.menu.id]
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

resource "azurerm_monitor_metric_alert" "menu-letters" {
  name                = "cafe-production-menu-letters"
  resource_group_name = azurerm_resource_group.main.name
  scopes              = [azurerm_servicebus_namespace.main.id]
  description         = "There are dead letters: look with shoal dlq; they lie in CAFE_MENU_DEAD/shoal.letters."
  severity            = 2
  frequency           = "PT1M"
  window_size         = "PT5M"
  tags                = local.tags

  criteria {
    metric_namespace = "Microsoft.ServiceBus/Namespaces"
    metric_name      = "ActiveMessages"
    aggregation      = "Maximum"
    operator         = "GreaterThan"
    threshold        = 0

    dimension {
      name     = "EntityName"
      operator = "Include"
      values   = ["cafe_menu_dead"]
    }
  }

  action {
    action_group_id = azurerm_monitor_action_group.main.id
  }
}

resource "azurerm_monitor_metric_alert" "menu-disk" {
  name                = "cafe-production-menu-disk"
  resource_group_name = azurerm_resource_group.main.name
  scopes              = [azurerm_postgresql_flexible_server.menu.id]
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

resource "azurerm_monitor_metric_alert" "menu-database" {
  name                = "cafe-production-menu-database"
  resource_group_name = azurerm_resource_group.main.name
  scopes              = [azurerm_postgresql_flexible_server.menu.id]
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
