// Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
// beside it.

param location string = resourceGroup().location

param tags object = {}

@secure()
param passwords object

resource network_main 'Microsoft.Network/virtualNetworks@2024-10-01' existing = {
  name: 'cafe-production'
}

resource subnet_inside 'Microsoft.Network/virtualNetworks/subnets@2024-10-01' existing = {
  parent: network_main
  name: 'inside'
}

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

resource subnet_data 'Microsoft.Network/virtualNetworks/subnets@2024-10-01' existing = {
  parent: network_main
  name: 'data'
}

resource topic_CAFE_TILL 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' existing = {
  parent: bus_main
  name: 'CAFE_TILL'
}

resource topic_CAFE_MENU_DEAD 'Microsoft.ServiceBus/namespaces/topics@2024-01-01' existing = {
  parent: bus_main
  name: 'CAFE_MENU_DEAD'
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

resource endpoint_cache_menu 'Microsoft.Network/privateEndpoints@2024-10-01' = {
  name: 'cafe-production-cache-menu'
  location: location
  tags: tags
  properties: {
    subnet: {
      id: subnet_inside.id
    }
    privateLinkServiceConnections: [
      {
        name: 'redisEnterprise'
        properties: {
          privateLinkServiceId: cache_menu.id
          groupIds: [
            'redisEnterprise'
          ]
        }
      }
    ]
  }
}

resource endpoint_cache_menu_names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-10-01' = {
  parent: endpoint_cache_menu
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: 'redisEnterprise'
        properties: {
          privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', 'privatelink.redis.azure.net')
        }
      }
    ]
  }
}

resource secret_menu__store_url 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault_main
  name: 'cafe-menu-store-url'
  tags: tags
  properties: {
    contentType: 'SHOAL_STORE_URL: where it finds its engine.'
    value: 'postgres://menu:${passwords['menu-postgres']}@${postgres_menu.properties.fullyQualifiedDomainName}:5432/menu?sslmode=verify-full&sslrootcert=/etc/ssl/certs/ca-certificates.crt'
  }
}

resource secret_menu__cache_url 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  parent: vault_main
  name: 'cafe-menu-cache-url'
  tags: tags
  properties: {
    contentType: 'SHOAL_CACHE_URL: where it finds its engine.'
    value: 'valkeys://default:${uriComponent(redis_menu.listKeys().primaryKey)}@${cache_menu.properties.hostName}:10000/cafe:menu'
  }
}

// What there is, and what it costs.
// Declared in cafe/menu.py:9.
resource workload_menu 'Microsoft.App/containerApps@2026-01-01' = {
  name: 'menu'
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity_menu.id}': {}
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
          identity: identity_menu.id
        }
      ]
      secrets: [
        {
          name: 'cafe-menu-store-url'
          keyVaultUrl: secret_menu__store_url.properties.secretUri
          identity: identity_menu.id
        }
        {
          name: 'cafe-menu-cache-url'
          keyVaultUrl: secret_menu__cache_url.properties.secretUri
          identity: identity_menu.id
        }
        {
          name: 'cafe-jwks'
          keyVaultUrl: secret___jwks.properties.secretUri
          identity: identity_menu.id
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
          name: 'menu'
          image: '${registry_main.properties.loginServer}/menu:0.1.0'
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
              value: 'cafe.menu:menu'
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
              name: 'AZURE_CLIENT_ID'
              value: identity_menu.properties.clientId
            }
            {
              name: 'SHOAL_BROKER_URL'
              value: 'servicebus://${bus_main.name}.servicebus.windows.net'
            }
            {
              name: 'SHOAL_STORE_URL'
              secretRef: 'cafe-menu-store-url'
            }
            {
              name: 'SHOAL_CACHE_URL'
              secretRef: 'cafe-menu-cache-url'
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
          {
            name: 'waiting-0'
            custom: {
              type: 'azure-servicebus'
              metadata: {
                namespace: bus_main.name
                topicName: 'CAFE_TILL'
                subscriptionName: 'menu-0'
                messageCount: '1000'
              }
              identity: identity_menu.id
            }
          }
          {
            name: 'waiting-1'
            custom: {
              type: 'azure-servicebus'
              metadata: {
                namespace: bus_main.name
                topicName: 'CAFE_TILL'
                subscriptionName: 'menu-1'
                messageCount: '1000'
              }
              identity: identity_menu.id
            }
          }
          {
            name: 'waiting-2'
            custom: {
              type: 'azure-servicebus'
              metadata: {
                namespace: bus_main.name
                topicName: 'CAFE_TILL'
                subscriptionName: 'menu-2'
                messageCount: '1000'
              }
              identity: identity_menu.id
            }
          }
          {
            name: 'waiting-3'
            custom: {
              type: 'azure-servicebus'
              metadata: {
                namespace: bus_main.name
                topicName: 'CAFE_TILL'
                subscriptionName: 'menu-3'
                messageCount: '1000'
              }
              identity: identity_menu.id
            }
          }
        ]
      }
    }
  }
  dependsOn: [
    right_menu_0
    right_menu_1
    right_menu_2
    right_menu_3
  ]
}

// Declared in cafe/menu.py:9.
resource postgres_menu 'Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01' = {
  name: 'cafe-production-menu-b42c0'
  location: location
  tags: tags
  sku: {
    name: 'Standard_D2ds_v5'
    tier: 'GeneralPurpose'
  }
  properties: {
    version: '17'
    administratorLogin: 'menu'
    administratorLoginPassword: passwords['menu-postgres']
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

resource postgres_menu_database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2024-08-01' = {
  parent: postgres_menu
  name: 'menu'
  properties: {
    charset: 'UTF8'
    collation: 'en_US.utf8'
  }
}

resource lock_postgres_menu 'Microsoft.Authorization/locks@2020-05-01' = {
  name: 'postgres-menu'
  scope: postgres_menu
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds data. Take the lock away first, on purpose.'
  }
}

// One for its owner alone: a Managed Redis knows no user who sees some keys and not others.
// Declared in cafe/menu.py:9.
resource cache_menu 'Microsoft.Cache/redisEnterprise@2025-07-01' = {
  name: 'cafe-production-menu-b42c0'
  location: location
  tags: tags
  sku: {
    name: 'Balanced_B0'
  }
  properties: {
    highAvailability: 'Enabled'
    minimumTlsVersion: '1.2'
    publicNetworkAccess: 'Disabled'
  }
}

resource redis_menu 'Microsoft.Cache/redisEnterprise/databases@2025-07-01' = {
  parent: cache_menu
  name: 'default'
  properties: {
    clientProtocol: 'Encrypted'
    clusteringPolicy: 'NoCluster'
    evictionPolicy: 'VolatileLRU'
    accessKeysAuthentication: 'Enabled'
    port: 10000
  }
}

resource subscription_CAFE_TILL__menu_0 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2024-01-01' = {
  parent: topic_CAFE_TILL
  name: 'menu-0'
  properties: {
    requiresSession: true
    lockDuration: 'PT15S'
    maxDeliveryCount: 2000
    defaultMessageTimeToLive: 'P7D'
  }
}

// Azure makes a rule of this name that lets everything through.
resource subscription_CAFE_TILL__menu_0_default 'Microsoft.ServiceBus/namespaces/topics/subscriptions/rules@2024-01-01' = {
  parent: subscription_CAFE_TILL__menu_0
  name: '$Default'
  properties: {
    filterType: 'SqlFilter'
    sqlFilter: {
      sqlExpression: '1=0'
    }
  }
}

resource subscription_CAFE_TILL__menu_0_af0113158427 'Microsoft.ServiceBus/namespaces/topics/subscriptions/rules@2024-01-01' = {
  parent: subscription_CAFE_TILL__menu_0
  name: 's-af011315842718104324b3c19976fd9c'
  properties: {
    filterType: 'CorrelationFilter'
    correlationFilter: {
      label: 'cafe.event.till.sold.v1.0'
    }
  }
}

resource subscription_CAFE_TILL__menu_1 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2024-01-01' = {
  parent: topic_CAFE_TILL
  name: 'menu-1'
  properties: {
    requiresSession: true
    lockDuration: 'PT15S'
    maxDeliveryCount: 2000
    defaultMessageTimeToLive: 'P7D'
  }
}

// Azure makes a rule of this name that lets everything through.
resource subscription_CAFE_TILL__menu_1_default 'Microsoft.ServiceBus/namespaces/topics/subscriptions/rules@2024-01-01' = {
  parent: subscription_CAFE_TILL__menu_1
  name: '$Default'
  properties: {
    filterType: 'SqlFilter'
    sqlFilter: {
      sqlExpression: '1=0'
    }
  }
}

resource subscription_CAFE_TILL__menu_1_88a429cdc836 'Microsoft.ServiceBus/namespaces/topics/subscriptions/rules@2024-01-01' = {
  parent: subscription_CAFE_TILL__menu_1
  name: 's-88a429cdc836fffb60ac5174ccd5393d'
  properties: {
    filterType: 'CorrelationFilter'
    correlationFilter: {
      label: 'cafe.event.till.sold.v1.1'
    }
  }
}

resource subscription_CAFE_TILL__menu_2 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2024-01-01' = {
  parent: topic_CAFE_TILL
  name: 'menu-2'
  properties: {
    requiresSession: true
    lockDuration: 'PT15S'
    maxDeliveryCount: 2000
    defaultMessageTimeToLive: 'P7D'
  }
}

// Azure makes a rule of this name that lets everything through.
resource subscription_CAFE_TILL__menu_2_default 'Microsoft.ServiceBus/namespaces/topics/subscriptions/rules@2024-01-01' = {
  parent: subscription_CAFE_TILL__menu_2
  name: '$Default'
  properties: {
    filterType: 'SqlFilter'
    sqlFilter: {
      sqlExpression: '1=0'
    }
  }
}

resource subscription_CAFE_TILL__menu_2_75b631ce4928 'Microsoft.ServiceBus/namespaces/topics/subscriptions/rules@2024-01-01' = {
  parent: subscription_CAFE_TILL__menu_2
  name: 's-75b631ce4928e9e28a29dacef321fe35'
  properties: {
    filterType: 'CorrelationFilter'
    correlationFilter: {
      label: 'cafe.event.till.sold.v1.2'
    }
  }
}

resource subscription_CAFE_TILL__menu_3 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2024-01-01' = {
  parent: topic_CAFE_TILL
  name: 'menu-3'
  properties: {
    requiresSession: true
    lockDuration: 'PT15S'
    maxDeliveryCount: 2000
    defaultMessageTimeToLive: 'P7D'
  }
}

// Azure makes a rule of this name that lets everything through.
resource subscription_CAFE_TILL__menu_3_default 'Microsoft.ServiceBus/namespaces/topics/subscriptions/rules@2024-01-01' = {
  parent: subscription_CAFE_TILL__menu_3
  name: '$Default'
  properties: {
    filterType: 'SqlFilter'
    sqlFilter: {
      sqlExpression: '1=0'
    }
  }
}

resource subscription_CAFE_TILL__menu_3_1cb114c48e10 'Microsoft.ServiceBus/namespaces/topics/subscriptions/rules@2024-01-01' = {
  parent: subscription_CAFE_TILL__menu_3
  name: 's-1cb114c48e10079f96cf3844b743eef0'
  properties: {
    filterType: 'CorrelationFilter'
    correlationFilter: {
      label: 'cafe.event.till.sold.v1.3'
    }
  }
}

resource subscription_CAFE_MENU_DEAD__menu_again 'Microsoft.ServiceBus/namespaces/topics/subscriptions@2024-01-01' = {
  parent: topic_CAFE_MENU_DEAD
  name: 'menu-again'
  properties: {
    requiresSession: true
    lockDuration: 'PT15S'
    maxDeliveryCount: 2000
  }
}

// Azure makes a rule of this name that lets everything through.
resource subscription_CAFE_MENU_DEAD__menu_again_default 'Microsoft.ServiceBus/namespaces/topics/subscriptions/rules@2024-01-01' = {
  parent: subscription_CAFE_MENU_DEAD__menu_again
  name: '$Default'
  properties: {
    filterType: 'SqlFilter'
    sqlFilter: {
      sqlExpression: '1=0'
    }
  }
}

resource subscription_CAFE_MENU_DEAD__menu_again_83fed54e42af 'Microsoft.ServiceBus/namespaces/topics/subscriptions/rules@2024-01-01' = {
  parent: subscription_CAFE_MENU_DEAD__menu_again
  name: 's-83fed54e42af8c2536078e9b4e724517'
  properties: {
    filterType: 'CorrelationFilter'
    correlationFilter: {
      label: 'cafe.again.menu'
    }
  }
}

// Declared in cafe/menu.py:9.
resource identity_menu 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'cafe-production-menu'
  location: location
  tags: tags
}

// AcrPull. Its image.
resource right_menu_0 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry_main.id, identity_menu.id, '7f951dda-4ed3-4680-a7ca-43fe172d538d')
  scope: registry_main
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '7f951dda-4ed3-4680-a7ca-43fe172d538d')
    principalId: identity_menu.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Key Vault Secrets User.
resource right_menu_1 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(secret_menu__store_url.id, identity_menu.id, '4633458b-17de-408a-b874-0445c86b69e6')
  scope: secret_menu__store_url
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6')
    principalId: identity_menu.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Key Vault Secrets User.
resource right_menu_2 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(secret_menu__cache_url.id, identity_menu.id, '4633458b-17de-408a-b874-0445c86b69e6')
  scope: secret_menu__cache_url
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6')
    principalId: identity_menu.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Key Vault Secrets User.
resource right_menu_3 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(secret___jwks.id, identity_menu.id, '4633458b-17de-408a-b874-0445c86b69e6')
  scope: secret___jwks
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4633458b-17de-408a-b874-0445c86b69e6')
    principalId: identity_menu.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Azure Service Bus Data Sender. Its own dead letters.
resource right_menu_4 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(topic_CAFE_MENU_DEAD.id, identity_menu.id, '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39')
  scope: topic_CAFE_MENU_DEAD
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '69a216fc-b8fb-44d8-bc22-1f3c2cd27a39')
    principalId: identity_menu.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Azure Service Bus Data Receiver. What it subscribed to.
resource right_menu_5 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription_CAFE_TILL__menu_0.id, identity_menu.id, '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0')
  scope: subscription_CAFE_TILL__menu_0
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0')
    principalId: identity_menu.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Azure Service Bus Data Receiver. What it subscribed to.
resource right_menu_6 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription_CAFE_TILL__menu_1.id, identity_menu.id, '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0')
  scope: subscription_CAFE_TILL__menu_1
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0')
    principalId: identity_menu.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Azure Service Bus Data Receiver. What it subscribed to.
resource right_menu_7 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription_CAFE_TILL__menu_2.id, identity_menu.id, '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0')
  scope: subscription_CAFE_TILL__menu_2
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0')
    principalId: identity_menu.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Azure Service Bus Data Receiver. What it subscribed to.
resource right_menu_8 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription_CAFE_TILL__menu_3.id, identity_menu.id, '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0')
  scope: subscription_CAFE_TILL__menu_3
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0')
    principalId: identity_menu.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Azure Service Bus Data Receiver. What it subscribed to.
resource right_menu_9 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription_CAFE_MENU_DEAD__menu_again.id, identity_menu.id, '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0')
  scope: subscription_CAFE_MENU_DEAD__menu_again
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0')
    principalId: identity_menu.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// Azure Service Bus Data Receiver. Which streams there are.
resource right_menu_10 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription_shoal__declared__shoal__letters.id, identity_menu.id, '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0')
  scope: subscription_shoal__declared__shoal__letters
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '4f6d3b9b-027b-4f4c-9142-0e5a2a2247e0')
    principalId: identity_menu.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

resource alarm_menu_busy 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'cafe-production-menu-busy'
  location: 'global'
  tags: tags
  properties: {
    description: 'It has as many replicas as it may have, and they are busy.'
    severity: 2
    enabled: true
    scopes: [
      workload_menu.id
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

resource alarm_menu_restarts 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'cafe-production-menu-restarts'
  location: 'global'
  tags: tags
  properties: {
    description: 'It ends again and again.'
    severity: 2
    enabled: true
    scopes: [
      workload_menu.id
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

resource alarm_menu_errors 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'cafe-production-menu-errors'
  location: 'global'
  tags: tags
  properties: {
    description: 'It answers with 500 and above.'
    severity: 2
    enabled: true
    scopes: [
      workload_menu.id
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

resource alarm_menu_letters 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'cafe-production-menu-letters'
  location: 'global'
  tags: tags
  properties: {
    description: 'There are dead letters: look with shoal dlq; they lie in CAFE_MENU_DEAD/shoal.letters.'
    severity: 2
    enabled: true
    scopes: [
      bus_main.id
    ]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'measured'
          metricNamespace: 'Microsoft.ServiceBus/Namespaces'
          metricName: 'ActiveMessages'
          timeAggregation: 'Maximum'
          operator: 'GreaterThan'
          threshold: 0
          dimensions: [
            {
              name: 'EntityName'
              operator: 'Include'
              values: [
                'cafe_menu_dead'
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

resource alarm_menu_disk 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'cafe-production-menu-disk'
  location: 'global'
  tags: tags
  properties: {
    description: 'Its disk is nearly full.'
    severity: 2
    enabled: true
    scopes: [
      postgres_menu.id
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

resource alarm_menu_database 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'cafe-production-menu-database'
  location: 'global'
  tags: tags
  properties: {
    description: 'It has been busy for a quarter of an hour.'
    severity: 2
    enabled: true
    scopes: [
      postgres_menu.id
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
