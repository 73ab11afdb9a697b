// Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
// beside it.

param location string = resourceGroup().location

param tags object = {}

@secure()
param passwords object

resource vault_main 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: 'cafe-production-b42c0'
}

resource registry_main 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = {
  name: 'cafeproductionb42c0e1c762'
}

resource secret___jwks 'Microsoft.KeyVault/vaults/secrets@2024-11-01' existing = {
  parent: vault_main
  name: 'cafe-jwks'
}

resource bus_main 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: 'cafe-production-b42c0'
}

resource place_main 'Microsoft.App/managedEnvironments@2026-01-01' existing = {
  name: 'cafe-production'
}

resource network_main 'Microsoft.Network/virtualNetworks@2024-10-01' existing = {
  name: 'cafe-production'
}

resource subnet_data 'Microsoft.Network/virtualNetworks/subnets@2024-10-01' existing = {
  parent: network_main
  name: 'data'
}

resource topic_CAFE_TILL 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' existing = {
  parent: bus_main
  name: 'CAFE_TILL'
}

resource topic_shoal__declared 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' existing = {
  parent: bus_main
  name: 'shoal.declared'
}

resource subscription_shoal__declared__shoal__letters 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2024-01-01' existing = {
  parent: topic_shoal__declared
  name: 'shoal.letters'
}

resource hearers_main 'Microsoft.Insights/actionGroups@2023-01-01' existing = {
  name: 'cafe-production'
}

resource secret_till__store_url 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault_main
  name: 'cafe-till-store-url'
  tags: tags
  properties: {
    contentType: 'SHOAL_STORE_URL: where it finds its engine.'
    value: 'postgres://till:${passwords['till-postgres']}@${postgres_till.properties.fullyQualifiedDomainName}:5432/till?sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt'
  }
}

@onlyIfNotExists()
resource secret_till__signing_key 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault_main
  name: 'cafe-till-signing-key'
  tags: tags
  properties: {
    contentType: 'The file signing-key.json, which signs tokens; somebody fills it in.'
    value: 'to be filled in'
  }
}

// Takes what guests pay, and tells it.
// Declared in cafe/till.py:12.
resource workload_till 'Microsoft.App/containerApps@2026-01-01' = {
  name: 'till'
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity_till.id}': {}
    }
  }
  properties: {
    environmentId: place_main.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      registries: [
        {
          server: registry_main.properties.loginServer
          identity: identity_till.id
        }
      ]
      secrets: [
        {
          name: 'cafe-till-store-url'
          keyVaultUrl: secret_till__store_url.properties.secretUri
          identity: identity_till.id
        }
        {
          name: 'cafe-jwks'
          keyVaultUrl: secret___jwks.properties.secretUri
          identity: identity_till.id
        }
        {
          name: 'cafe-till-signing-key'
          keyVaultUrl: secret_till__signing_key.properties.secretUri
          identity: identity_till.id
        }
      ]
      ingress: {
        external: true
        targetPort: 8080
        transport: 'auto'
        // What calls by plain HTTP is encrypted between the replicas.
        allowInsecure: true
        traffic: [
          {
            latestRevision: true
            weight: 100
          }
        ]
      }
    }
    template: {
      terminationGracePeriodSeconds: 30
      containers: [
        {
          name: 'till'
          image: '${registry_main.properties.loginServer}/till:0.1.0'
          command: [
            'python'
            '-m'
            'shoal.runtime'
          ]
          env: [
            {
              name: 'SHOAL_SYSTEM'
              value: 'cafe'
            }
            {
              name: 'SHOAL_ENTRY'
              value: 'cafe.till:till'
            }
            {
              name: 'SHOAL_VERSION'
              value: '0.1.0'
            }
            {
              name: 'SHOAL_LISTEN'
              value: 'tcp:0.0.0.0:8080'
            }
            {
              name: 'SHOAL_VOUCHED'
              value: 'false'
            }
            {
              name: 'SHOAL_MESH'
              value: 'http://{service}'
            }
            {
              name: 'SHOAL_DRAIN'
              value: '10'
            }
            {
              name: 'SHOAL_JWKS'
              value: '/etc/shoal/files/cafe-jwks'
            }
            {
              name: 'SHOAL_ISSUER'
              value: 'https://cafe.example'
            }
            {
              name: 'SHOAL_AUDIENCE'
              value: 'cafe'
            }
            {
              name: 'SHOAL_SIGNING_KEY'
              value: '/etc/shoal/files/cafe-till-signing-key'
            }
            {
              name: 'AZURE_CLIENT_ID'
              value: identity_till.properties.clientId
            }
            {
              name: 'SHOAL_BROKER_URL'
              value: 'servicebus://${bus_main.name}.servicebus.windows.net'
            }
            {
              name: 'SHOAL_STORE_URL'
              secretRef: 'cafe-till-store-url'
            }
          ]
          resources: {
            cpu: json('0.25')
            memory: '0.5Gi'
          }
          volumeMounts: [
            {
              volumeName: 'files'
              mountPath: '/etc/shoal/files'
            }
          ]
          probes: [
            {
              type: 'Startup'
              httpGet: {
                path: '/health'
                port: 8080
              }
              timeoutSeconds: 5
              periodSeconds: 15
              failureThreshold: 10
            }
            {
              type: 'Liveness'
              httpGet: {
                path: '/health'
                port: 8080
              }
              timeoutSeconds: 5
              periodSeconds: 15
              failureThreshold: 3
            }
            {
              type: 'Readiness'
              httpGet: {
                path: '/ready'
                port: 8080
              }
              timeoutSeconds: 5
              periodSeconds: 5
              failureThreshold: 3
            }
          ]
        }
      ]
      volumes: [
        {
          name: 'files'
          storageType: 'Secret'
          secrets: [
            {
              secretRef: 'cafe-jwks'
              path: 'cafe-jwks'
            }
            {
              secretRef: 'cafe-till-signing-key'
              path: 'cafe-till-signing-key'
            }
          ]
        }
      ]
      scale: {
        minReplicas: 2
        maxReplicas: 4
        rules: [
          {
            name: 'processor'
            custom: {
              type: 'cpu'
              metadata: {
                type: 'Utilization'
                value: '70'
              }
            }
          }
          {
            name: 'memory'
            custom: {
              type: 'memory'
              metadata: {
                type: 'Utilization'
                value: '80'
              }
            }
          }
        ]
      }
    }
  }
  dependsOn: [
    right_till_0
    right_till_1
    right_till_2
    right_till_3
  ]
}

// Declared in cafe/till.py:12.
resource postgres_till 'Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01' = {
  name: 'cafe-production-till-b42c0'
  location: location
  tags: tags
  sku: {
    name: 'Standard_D2ds_v5'
    tier: 'GeneralPurpose'
  }
  properties: {
    version: '17'
    administratorLogin: 'till'
    administratorLoginPassword: passwords['till-postgres']
    storage: {
      storageSizeGB: 32
      autoGrow: 'Enabled'
    }
    backup: {
      backupRetentionDays: 7
      geoRedundantBackup: 'Disabled'
    }
    highAvailability: {
      mode: 'ZoneRedundant'
    }
    network: {
      delegatedSubnetResourceId: subnet_data.id
      privateDnsZoneArmResourceId: resourceId('Microsoft.Network/privateDnsZones', 'cafe-production.postgres.database.azure.com')
      publicNetworkAccess: 'Disabled'
    }
  }
}

resource postgres_till_database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2024-08-01' = {
  parent: postgres_till
  name: 'till'
  properties: {
    charset: 'UTF8'
    collation: 'en_US.utf8'
  }
}

resource lock_postgres_till 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'postgres-till'
  scope: postgres_till
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds data. Take the lock away first, on purpose.'
  }
}

// Declared in cafe/till.py:12.
resource identity_till 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'cafe-production-till'
  location: location
  tags: tags
}

// AcrPull. Its image.
resource right_till_0 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry_main.id, identity_till.id, '7f951dda-4ed3-4680-a7ca-43fe172d538d')
  scope: registry_main
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '7f951dda-4ed3-4680-a7ca-43fe172d538d')
    principalId: identity_till.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Key Vault Secrets User.
resource right_till_1 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(secret_till__store_url.id, identity_till.id, '4633458b-17de-408a-b874-0445c86b69e6')
  scope: secret_till__store_url
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6')
    principalId: identity_till.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Key Vault Secrets User.
resource right_till_2 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(secret___jwks.id, identity_till.id, '4633458b-17de-408a-b874-0445c86b69e6')
  scope: secret___jwks
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6')
    principalId: identity_till.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Key Vault Secrets User.
resource right_till_3 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(secret_till__signing_key.id, identity_till.id, '4633458b-17de-408a-b874-0445c86b69e6')
  scope: secret_till__signing_key
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6')
    principalId: identity_till.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Azure Service Bus Data Sender. Its own events.
resource right_till_4 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(topic_CAFE_TILL.id, identity_till.id, '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39')
  scope: topic_CAFE_TILL
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39')
    principalId: identity_till.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Azure Service Bus Data Receiver. Which streams there are.
resource right_till_5 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription_shoal__declared__shoal__letters.id, identity_till.id, '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0')
  scope: subscription_shoal__declared__shoal__letters
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0')
    principalId: identity_till.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource alarm_till_busy 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'cafe-production-till-busy'
  location: 'global'
  tags: tags
  properties: {
    description: 'It has as many replicas as it may have, and they are busy.'
    severity: 2
    enabled: true
    scopes: [
      workload_till.id
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'measured'
          metricNamespace: 'Microsoft.App/containerApps'
          metricName: 'UsageNanoCores'
          timeAggregation: 'Average'
          operator: 'GreaterThan'
          threshold: 225000000
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

resource alarm_till_restarts 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'cafe-production-till-restarts'
  location: 'global'
  tags: tags
  properties: {
    description: 'It ends again and again.'
    severity: 2
    enabled: true
    scopes: [
      workload_till.id
    ]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'measured'
          metricNamespace: 'Microsoft.App/containerApps'
          metricName: 'RestartCount'
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: 3
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

resource alarm_till_errors 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'cafe-production-till-errors'
  location: 'global'
  tags: tags
  properties: {
    description: 'It answers with 500 and above.'
    severity: 2
    enabled: true
    scopes: [
      workload_till.id
    ]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'measured'
          metricNamespace: 'Microsoft.App/containerApps'
          metricName: 'Requests'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 10
          dimensions: [
            {
              name: 'statusCodeCategory'
              operator: 'Include'
              values: [
                '5xx'
              ]
            }
          ]
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

resource alarm_till_waiting 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'cafe-production-till-waiting'
  location: 'global'
  tags: tags
  properties: {
    description: 'Messages of CAFE_TILL are not heard by somebody.'
    severity: 2
    enabled: true
    scopes: [
      bus_main.id
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'measured'
          metricNamespace: 'Microsoft.ServiceBus/Namespaces'
          metricName: 'ActiveMessages'
          timeAggregation: 'Average'
          operator: 'GreaterThan'
          threshold: 10000
          dimensions: [
            {
              name: 'EntityName'
              operator: 'Include'
              values: [
                'cafe_till'
              ]
            }
          ]
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

resource alarm_till_disk 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'cafe-production-till-disk'
  location: 'global'
  tags: tags
  properties: {
    description: 'Its disk is nearly full.'
    severity: 2
    enabled: true
    scopes: [
      postgres_till.id
    ]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'measured'
          metricNamespace: 'Microsoft.DBforPostgreSQL/flexibleServers'
          metricName: 'storage_percent'
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: 85
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

resource alarm_till_database 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'cafe-production-till-database'
  location: 'global'
  tags: tags
  properties: {
    description: 'It has been busy for a quarter of an hour.'
    severity: 2
    enabled: true
    scopes: [
      postgres_till.id
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'measured'
          metricNamespace: 'Microsoft.DBforPostgreSQL/flexibleServers'
          metricName: 'cpu_percent'
          timeAggregation: 'Average'
          operator: 'GreaterThan'
          threshold: 90
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
