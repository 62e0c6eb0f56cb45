// The identity of a GitHub workflow that deploys the package: no secret, and no right but to this one app.
// https://learn.microsoft.com/azure/azure-functions/functions-how-to-github-actions

@description('Name of the identity.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Name of the function app.')
param appName string

@description('GitHub repository, owner/name.')
param repository string

@description('GitHub environment that the workflow runs in.')
param environmentName string

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/web-and-mobile
var roleIds = {
  'Website Contributor': 'de139f84-1756-47ae-9be6-808fbbe84772'
}

resource app 'Microsoft.Web/sites@2024-04-01' existing = {
  name: appName
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: name
  location: location
  tags: tags
}

resource credential 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2023-01-31' = {
  parent: identity
  name: 'github'
  properties: {
    audiences: ['api://AzureADTokenExchange']
    issuer: 'https://token.actions.githubusercontent.com'
    subject: 'repo:${repository}:environment:${environmentName}'
  }
}

resource deployerRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(app.id, identity.id, roleIds['Website Contributor'])
  scope: app
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds['Website Contributor'])
  }
}

@description('Client id: AZURE_CLIENT_ID of the workflow.')
output clientId string = identity.properties.clientId
