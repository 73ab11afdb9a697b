// Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
// beside it.

param location string = resourceGroup().location

param tags object = {}

param domain string

resource network_main 'Microsoft.Network/virtualNetworks@2024-10-01' existing = {
  name: 'cafe-production'
}

resource place_main 'Microsoft.App/managedEnvironments@2026-01-01' existing = {
  name: 'cafe-production'
}

resource subnet_edge 'Microsoft.Network/virtualNetworks/subnets@2024-10-01' existing = {
  parent: network_main
  name: 'edge'
}

resource workload_menu 'Microsoft.App/containerApps@2026-01-01' existing = {
  name: 'menu'
}

resource workload_till 'Microsoft.App/containerApps@2026-01-01' existing = {
  name: 'till'
}

resource insights_main 'Microsoft.Insights/components@2020-02-02' existing = {
  name: 'cafe-production'
}

resource hearers_main 'Microsoft.Insights/actionGroups@2023-01-01' existing = {
  name: 'cafe-production'
}

resource zone_apps 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: domain
  location: 'global'
  tags: tags
}

resource zone_apps_link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: zone_apps
  name: 'cafe-production'
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: network_main.id
    }
  }
}

resource zone_apps_all 'Microsoft.Network/privateDnsZones/A@2024-06-01' = {
  parent: zone_apps
  name: '*'
  properties: {
    ttl: 300
    aRecords: [
      {
        ipv4Address: place_main.properties.staticIp
      }
    ]
  }
}

resource door_main 'Microsoft.ApiManagement/service@2024-05-01' = {
  name: 'cafe-production-b42c0'
  location: location
  tags: tags
  sku: {
    name: 'StandardV2'
    capacity: 1
  }
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    publisherName: 'cafe'
    publisherEmail: 'nobody@cafe.example'
    virtualNetworkType: 'External'
    virtualNetworkConfiguration: {
      subnetResourceId: subnet_edge.id
    }
  }
}

resource api 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  parent: door_main
  name: 'cafe'
  properties: {
    displayName: 'cafe'
    path: ''
    protocols: [
      'https'
    ]
    subscriptionRequired: false
  }
}

resource policy 'Microsoft.ApiManagement/service/apis/policies@2024-05-01' = {
  parent: api
  name: 'policy'
  properties: {
    format: 'xml'
    value: loadTextContent('../policies/all.xml')
  }
}

resource product 'Microsoft.ApiManagement/service/products@2024-05-01' = {
  parent: door_main
  name: 'cafe'
  properties: {
    displayName: 'cafe'
    subscriptionRequired: false
    state: 'published'
  }
}

resource offered 'Microsoft.ApiManagement/service/products/apis@2024-05-01' = {
  parent: product
  name: 'cafe'
  dependsOn: [
    api
  ]
}

resource backend_menu 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: door_main
  name: 'menu'
  properties: {
    protocol: 'http'
    url: 'https://${workload_menu.properties.configuration.ingress.fqdn}'
    tls: {
      validateCertificateChain: true
      validateCertificateName: true
    }
  }
}

resource backend_till 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: door_main
  name: 'till'
  properties: {
    protocol: 'http'
    url: 'https://${workload_till.properties.configuration.ingress.fqdn}'
    tls: {
      validateCertificateChain: true
      validateCertificateName: true
    }
  }
}

resource operation_till_jwks_83432a 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: api
  name: 'till-jwks-83432a'
  properties: {
    displayName: 'GET /.well-known/jwks.json'
    method: 'GET'
    urlTemplate: '/.well-known/jwks.json'
    templateParameters: []
  }
}

resource operation_till_jwks_83432a_policy 'Microsoft.ApiManagement/service/apis/operations/policies@2024-05-01' = {
  parent: operation_till_jwks_83432a
  name: 'policy'
  properties: {
    format: 'xml'
    value: loadTextContent('../policies/till-jwks-83432a.xml')
  }
  dependsOn: [
    backend_till
  ]
}

resource operation_menu_read_171621 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: api
  name: 'menu-read-171621'
  properties: {
    displayName: 'GET /menu'
    method: 'GET'
    urlTemplate: '/menu'
    templateParameters: []
  }
}

resource operation_menu_read_171621_policy 'Microsoft.ApiManagement/service/apis/operations/policies@2024-05-01' = {
  parent: operation_menu_read_171621
  name: 'policy'
  properties: {
    format: 'xml'
    value: loadTextContent('../policies/menu-read-171621.xml')
  }
  dependsOn: [
    backend_menu
  ]
}

resource operation_till_sell_6cd0b4 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: api
  name: 'till-sell-6cd0b4'
  properties: {
    displayName: 'POST /sales'
    method: 'POST'
    urlTemplate: '/sales'
    templateParameters: []
  }
}

resource operation_till_sell_6cd0b4_policy 'Microsoft.ApiManagement/service/apis/operations/policies@2024-05-01' = {
  parent: operation_till_sell_6cd0b4
  name: 'policy'
  properties: {
    format: 'xml'
    value: loadTextContent('../policies/till-sell-6cd0b4.xml')
  }
  dependsOn: [
    backend_till
  ]
}

resource operation_till_show_befe16 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: api
  name: 'till-show-befe16'
  properties: {
    displayName: 'GET /sales/{number}'
    method: 'GET'
    urlTemplate: '/sales/{number}'
    templateParameters: [
      {
        name: 'number'
        type: 'string'
        required: true
      }
    ]
  }
}

resource operation_till_show_befe16_policy 'Microsoft.ApiManagement/service/apis/operations/policies@2024-05-01' = {
  parent: operation_till_show_befe16
  name: 'policy'
  properties: {
    format: 'xml'
    value: loadTextContent('../policies/till-show-befe16.xml')
  }
  dependsOn: [
    backend_till
  ]
}

resource logger 'Microsoft.ApiManagement/service/loggers@2024-05-01' = {
  parent: door_main
  name: 'insights'
  properties: {
    loggerType: 'applicationInsights'
    resourceId: insights_main.id
    credentials: {
      connectionString: insights_main.properties.ConnectionString
    }
  }
}

resource diagnostic 'Microsoft.ApiManagement/service/diagnostics@2024-05-01' = {
  parent: door_main
  name: 'applicationinsights'
  properties: {
    loggerId: logger.id
    alwaysLog: 'allErrors'
    logClientIp: false
    httpCorrelationProtocol: 'W3C'
    verbosity: 'information'
    sampling: {
      samplingType: 'fixed'
      percentage: 100
    }
  }
}

resource alarm_slow 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'cafe-production-slow'
  location: 'global'
  tags: tags
  properties: {
    description: 'Answers take more than two seconds on average.'
    severity: 2
    enabled: true
    scopes: [
      door_main.id
    ]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'measured'
          metricNamespace: 'Microsoft.ApiManagement/service'
          metricName: 'BackendDuration'
          timeAggregation: 'Average'
          operator: 'GreaterThan'
          threshold: 2000
          dimensions: []
        }
      ]
    }
    actions: [
      {
        actionGroupId: hearers_main.id
      }
    ]
  }
}
