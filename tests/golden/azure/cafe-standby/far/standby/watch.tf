# Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
# beside it.

resource "azurerm_monitor_action_group" "main" {
  name                = "cafe-far-standby"
  resource_group_name = azurerm_resource_group.main.name
  short_name          = "cafe"
  tags                = local.tags
}

resource "azurerm_monitor_metric_alert" "slow" {
  name                = "cafe-far-standby-slow"
  resource_group_name = azurerm_resource_group.main.name
  scopes              = [azurerm_api_management.main.id]
  description         = "Answers take more than two seconds on average."
  severity            = 2
  frequency           = "PT1M"
  window_size         = "PT5M"
  tags                = local.tags

  criteria {
    metric_namespace = "Microsoft.ApiManagement/service"
    metric_name      = "BackendDuration"
    aggregation      = "Average"
    operator         = "GreaterThan"
    threshold        = 2000
  }

  action {
    action_group_id = azurerm_monitor_action_group.main.id
  }
}
