// Written by `shoal deploy azure`; changes are lost. Resources of yours go into files of other names
// beside it.

param location string = resourceGroup().location

param tags object = {}

resource registry_main 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = {
  name: 'cafeproductionb42c0e1c762'
}

resource bus_main 'Microsoft.ServiceBus/namespaces@2024-01-01' existing = {
  name: 'cafe-production-b42c0'
}

resource place_main 'Microsoft.App/managedEnvironments@2026-01-01' existing = {
  name: 'cafe-production'
}

// Start it after each change of events. Any image that speaks to the broker has what it takes.
resource job_operator 'Microsoft.App/jobs@2026-01-01' = {
  name: 'cafe-production-operator'
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity_operator.id}': {}
    }
  }
  properties: {
    environmentId: place_main.id
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Manual'
      replicaTimeout: 600
      replicaRetryLimit: 1
      manualTriggerConfig: {
        parallelism: 1
        replicaCompletionCount: 1
      }
      registries: [
        {
          server: registry_main.properties.loginServer
          identity: identity_operator.id
        }
      ]
    }
    template: {
      containers: [
        {
          name: 'operator'
          image: '${registry_main.properties.loginServer}/till:0.1.0'
          command: [
            'python'
            '-m'
            'shoal.runtime.declaring'
          ]
          env: [
            {
              name: 'AZURE_CLIENT_ID'
              value: identity_operator.properties.clientId
            }
            {
              name: 'SHOAL_BROKER_URL'
              value: 'servicebus://${bus_main.name}.servicebus.windows.net'
            }
            {
              name: 'SHOAL_STREAMS'
              value: '{"streams":[{"name":"CAFE_TILL","subjects":["cafe.event.till.sold.v1.*"],"age":604800.0,"largest":278528},{"name":"CAFE_MENU_DEAD","subjects":["cafe.again.menu","cafe.dead.menu"],"age":0.0}],"consumers":[{"stream":"CAFE_TILL","name":"menu-0","subjects":["cafe.event.till.sold.v1.0"],"ack_wait":5.0},{"stream":"CAFE_TILL","name":"menu-1","subjects":["cafe.event.till.sold.v1.1"],"ack_wait":5.0},{"stream":"CAFE_TILL","name":"menu-2","subjects":["cafe.event.till.sold.v1.2"],"ack_wait":5.0},{"stream":"CAFE_TILL","name":"menu-3","subjects":["cafe.event.till.sold.v1.3"],"ack_wait":5.0},{"stream":"CAFE_MENU_DEAD","name":"menu-again","subjects":["cafe.again.menu"],"ack_wait":5.0}]}'
            }
          ]
          resources: {
            cpu: json('0.25')
            memory: '0.5Gi'
          }
        }
      ]
    }
  }
  dependsOn: [
    right_operator_1
  ]
}

// Declares streams.
resource identity_operator 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'cafe-production-operator'
  location: location
  tags: tags
}

// Azure Service Bus Data Owner.
resource right_operator_0 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(bus_main.id, identity_operator.id, '090c5cfd-751d-490a-894a-3ce6f1109419')
  scope: bus_main
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '090c5cfd-751d-490a-894a-3ce6f1109419')
    principalId: identity_operator.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// AcrPull.
resource right_operator_1 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry_main.id, identity_operator.id, '7f951dda-4ed3-4680-a7ca-43fe172d538d')
  scope: registry_main
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '7f951dda-4ed3-4680-a7ca-43fe172d538d')
    principalId: identity_operator.properties.principalId
    principalType: 'ServicePrincipal'
  }
}
