// App Service authentication: callers need a token of this tenant, and the key of the functions beside it.
// https://learn.microsoft.com/azure/app-service/overview-authentication-authorization

@description('Name of the function app.')
param appName string

@description('Client id of the app registration that stands for this API.')
param clientId string

@description('Client ids of the applications that may call, separated by commas. Empty: each that gets a token.')
param allowedApplications string

@description('Whether Dataverse calls contact-created: a webhook shows its key alone.')
param webhook bool

var health = ['/api/health']
var applications = map(split(allowedApplications, ','), application => trim(application))

resource app 'Microsoft.Web/sites@2024-04-01' existing = {
  name: appName
}

resource authentication 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true, runtimeVersion: '~1' }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      excludedPaths: webhook ? concat(health, ['/api/contact-created']) : health
    }
    httpSettings: { requireHttps: true }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: clientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [clientId, 'api://${clientId}']
          defaultAuthorizationPolicy: empty(allowedApplications) ? {} : { allowedApplications: applications }
        }
      }
    }
    login: { tokenStore: { enabled: false } }
  }
}
