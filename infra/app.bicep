// The function app and its plan: Flex Consumption, which runs the executable of the package as a custom handler.
// https://learn.microsoft.com/azure/azure-functions/flex-consumption-plan

@description('Name of the function app.')
param name string

@description('Name of the plan.')
param planName string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('The most instances of a group of functions that scale together.')
param maximumInstanceCount int

@description('Resource id of the identity that the app runs as.')
param identityId string

@description('Client id of that identity.')
param identityClientId string

@description('Address of the blob service of the storage account.')
param blobEndpoint string

@description('Container that deployments put the package into.')
param packageContainerName string

@description('Connection string of Application Insights.')
param monitoringConnectionString string

@description('Settings of portal-invite by name. Empty ones are not written.')
param settings object

// What the host and the identity need; README.md lists what else portal-invite reads.
var hostSettings = {
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  APPLICATIONINSIGHTS_CONNECTION_STRING: monitoringConnectionString
  AZURE_CLIENT_ID: identityClientId
  AZURE_CREDENTIAL: 'managed-identity'
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__credential: 'managedidentity'
}
var filledSettings = filter(items(union(settings, hostSettings)), setting => !empty(setting.value))

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  // azd finds the app of its service by this tag.
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      appSettings: map(filledSettings, setting => { name: setting.key, value: setting.value })
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobEndpoint}${packageContainerName}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: { name: 'custom', version: '1.0' }
      scaleAndConcurrency: {
        instanceMemoryMB: 512
        maximumInstanceCount: maximumInstanceCount
        // Requests wait for other services most of their time. One process for many of them keeps to
        // MAIL_RATE_PER_MINUTE, which counts by process.
        triggers: { http: { perInstanceConcurrency: 50 } }
      }
    }
  }
}

// Deployments sign in by Entra; nobody publishes with a password.
resource scmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

resource ftpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

@description('Name of the function app.')
output name string = app.name

@description('Its host name.')
output hostName string = app.properties.defaultHostName
