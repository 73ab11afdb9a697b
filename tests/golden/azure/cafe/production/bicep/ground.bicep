// Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
// beside it.

param location string = resourceGroup().location

param tags object = {}

resource logs_main 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: 'cafe-production'
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: 30
  }
}

resource insights_main 'Microsoft.Insights/components@2020-02-02' = {
  name: 'cafe-production'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'other'
    WorkspaceResourceId: logs_main.id
  }
}

resource registry_main 'Microsoft.ContainerRegistry/registries@2023-07-01' = {
  name: 'cafeproductionb42c0e1c762'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    adminUserEnabled: false
  }
}

resource hearers_main 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'cafe-production'
  location: 'Global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'cafe'
  }
}
