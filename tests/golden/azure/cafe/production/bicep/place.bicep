// Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
// beside it.

param location string = resourceGroup().location

param tags object = {}

resource logs_main 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: 'cafe-production'
}

resource network_main 'Microsoft.Network/virtualNetworks@2024-10-01' existing = {
  name: 'cafe-production'
}

resource subnet_apps 'Microsoft.Network/virtualNetworks/subnets@2024-10-01' existing = {
  parent: network_main
  name: 'apps'
}

// Nothing outside reaches it but the gateway.
resource place_main 'Microsoft.App/managedEnvironments@2026-01-01' = {
  name: 'cafe-production'
  location: location
  tags: tags
  properties: {
    vnetConfiguration: {
      internal: true
      infrastructureSubnetId: subnet_apps.id
    }
    zoneRedundant: true
    peerTrafficConfiguration: {
      encryption: {
        enabled: true
      }
    }
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: logs_main.properties.customerId
        sharedKey: logs_main.listKeys().primarySharedKey
      }
    }
    workloadProfiles: [
      {
        name: 'Consumption'
        workloadProfileType: 'Consumption'
      }
    ]
  }
}

output domain string = place_main.properties.defaultDomain
