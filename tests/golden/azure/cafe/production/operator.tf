# Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
# beside it.

# Start it after each change of events. Any image that speaks to the broker has what it takes.
resource "azurerm_container_app_job" "operator" {
  name                         = "cafe-production-operator"
  location                     = azurerm_resource_group.main.location
  resource_group_name          = azurerm_resource_group.main.name
  container_app_environment_id = azurerm_container_app_environment.main.id
  workload_profile_name        = "Consumption"
  replica_timeout_in_seconds   = 600
  replica_retry_limit          = 1
  tags                         = local.tags
  depends_on = [
    azurerm_role_assignment.operator-1,
    azurerm_private_endpoint.vault,
    azurerm_private_dns_zone_virtual_network_link.vault,
  ]

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.operator.id]
  }

  registry {
    server   = azurerm_container_registry.main.login_server
    identity = azurerm_user_assigned_identity.operator.id
  }

  manual_trigger_config {
    parallelism              = 1
    replica_completion_count = 1
  }

  template {
    container {
      name    = "operator"
      image   = "${azurerm_container_registry.main.login_server}/till:0.1.0"
      command = ["python", "-m", "shoal.runtime.declaring"]
      cpu     = 0.25
      memory  = "0.5Gi"

      env {
        name  = "AZURE_CLIENT_ID"
        value = azurerm_user_assigned_identity.operator.client_id
      }

      env {
        name  = "SHOAL_BROKER_URL"
        value = "servicebus://${azurerm_servicebus_namespace.main.name}.servicebus.windows.net"
      }

      env {
        name  = "SHOAL_STREAMS"
        value = "{\"streams\":[{\"name\":\"CAFE_TILL\",\"subjects\":[\"cafe.event.till.sold.v1.*\"],\"age\":604800.0,\"largest\":278528},{\"name\":\"CAFE_MENU_DEAD\",\"subjects\":[\"cafe.again.menu\",\"cafe.dead.menu\"],\"age\":0.0}],\"consumers\":[{\"stream\":\"CAFE_TILL\",\"name\":\"menu-0\",\"subjects\":[\"cafe.event.till.sold.v1.0\"],\"ack_wait\":5.0},{\"stream\":\"CAFE_TILL\",\"name\":\"menu-1\",\"subjects\":[\"cafe.event.till.sold.v1.1\"],\"ack_wait\":5.0},{\"stream\":\"CAFE_TILL\",\"name\":\"menu-2\",\"subjects\":[\"cafe.event.till.sold.v1.2\"],\"ack_wait\":5.0},{\"stream\":\"CAFE_TILL\",\"name\":\"menu-3\",\"subjects\":[\"cafe.event.till.sold.v1.3\"],\"ack_wait\":5.0},{\"stream\":\"CAFE_MENU_DEAD\",\"name\":\"menu-again\",\"subjects\":[\"cafe.again.menu\"],\"ack_wait\":5.0}]}"
      }
    }
  }
}
