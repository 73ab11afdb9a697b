# Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "azurerm_log_analytics_workspace" "main" {
  name                = "cafe-far"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  sku                 = "PerGB2018"
  retention_in_days   = 30
  tags                = local.tags
}

resource "azurerm_application_insights" "main" {
  name                = "cafe-far"
  resource_group_name = azurerm_resource_group.main.name
  location            = azurerm_resource_group.main.location
  application_type    = "other"
  workspace_id        = azurerm_log_analytics_workspace.main.id
  retention_in_days   = 30
  tags                = local.tags
}

resource "azurerm_container_registry" "main" {
  name                          = "cafefarf43df20c45f"
  resource_group_name           = azurerm_resource_group.main.name
  location                      = azurerm_resource_group.main.location
  sku                           = "Premium"
  admin_enabled                 = false
  anonymous_pull_enabled        = false
  zone_redundancy_enabled       = true
  public_network_access_enabled = true
  network_rule_set = [
    {
      default_action = "Deny"
      ip_rule = [
        {
          action   = "Allow"
          ip_range = "203.0.113.7"
        },
      ]
    },
  ]
  tags = local.tags

  georeplications {
    location                = "centralus"
    zone_redundancy_enabled = true
    tags                    = local.tags
  }
}

# Nothing outside reaches it but the gateway.
resource "azurerm_container_app_environment" "main" {
  name                           = "cafe-far"
  resource_group_name            = azurerm_resource_group.main.name
  location                       = azurerm_resource_group.main.location
  infrastructure_subnet_id       = azurerm_subnet.apps.id
  internal_load_balancer_enabled = true
  zone_redundancy_enabled        = true
  mutual_tls_enabled             = true
  logs_destination               = "log-analytics"
  log_analytics_workspace_id     = azurerm_log_analytics_workspace.main.id
  tags                           = local.tags

  workload_profile {
    name                  = "Consumption"
    workload_profile_type = "Consumption"
  }

  lifecycle {
    ignore_changes = [infrastructure_resource_group_name]
  }
}
