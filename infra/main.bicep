// Everything that portal-invite runs on, in one resource group: what is made where, and what each setting may be.
// docs/DEPLOY.md tells the rest. Nothing here grants a right in Dataverse, Exchange or Graph.
targetScope = 'subscription'

@description('Name of the azd environment. It is part of the names, and tags the resource group for azd.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Region of every resource. Flex Consumption has to be offered there.')
@minLength(1)
@metadata({ azd: { type: 'location' } })
param location string

@description('Resource group. Empty: rg- and the name of the environment.')
@maxLength(90)
param resourceGroupName string = ''

@description('Function app: the first label of its host name, unique in the world. Empty: func- and a hash.')
@maxLength(60)
param appName string = ''

@description('The most instances that the HTTP functions scale out to. Each timer runs on one.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

// Settings that have no default.

@description('DATAVERSE_URL: address of the environment, https://contoso.crm4.dynamics.com, without a path.')
@minLength(1)
param dataverseUrl string

@description('PORTAL_URL: address of the site that contacts redeem at.')
@minLength(1)
param portalUrl string

@description('MAIL_SENDERS: mailboxes that letters leave from, separated by commas.')
@minLength(1)
param mailSenders string

// Other settings. What is left empty is not written, so that the default of the app counts.

@description('MAIL_DELIVERY: draft can find out about a lost answer; send needs fewer rights and cannot.')
@allowed(['', 'draft', 'send'])
param mailDelivery string = ''

@description('MAIL_RATE_PER_MINUTE: letters a sender in any 60 seconds from one process.')
@minValue(1)
@maxValue(1000)
param mailRatePerMinute int?

@description('MAIL_REPLY_TO: where answers to letters go.')
param mailReplyTo string = ''

@description('INVITATION_VALID_DAYS: how long an invitation is valid where the caller does not say.')
@minValue(1)
@maxValue(365)
param invitationValidDays int?

@description('INVITATION_OWNER: who owns the rows, team/guid or systemuser/guid.')
param invitationOwner string = ''

@description('PORTAL_WEBSITE_ID: id of the row of the site, written on invitations.')
param portalWebsiteId string = ''

@description('PORTAL_TIME_ZONE: IANA name, such as Europe/Oslo; days end there.')
param portalTimeZone string = ''

@description('LANGUAGES: languages of letters, such as en=en-US,da=da-DK with the paths of the site.')
param languages string = ''

@description('DEFAULT_LANGUAGE: one of LANGUAGES.')
param defaultLanguage string = ''

@description('BRAND_NAME: who invites, in letters.')
param brandName string = ''

@description('BRAND_COLOR: colour of the button, such as #0f6cbd.')
param brandColor string = ''

@description('BRAND_LOGO_URL: https address of a picture for letters.')
param brandLogoUrl string = ''

@description('SUPPORT_EMAIL: whom letters name for questions.')
param supportEmail string = ''

@description('TEMPLATE_DIR: folder of the package that holds the letters.')
param templateDir string = ''

@description('ALLOW_LINKS: true lets callers have links instead of letters.')
@allowed(['', 'true', 'false'])
param allowLinks string = ''

@description('ALLOWED_WORKFLOWS: ids of the redemption workflows that callers may name, separated by commas.')
param allowedWorkflows string = ''

@description('ALLOWED_WEB_ROLES: ids of the web roles that callers may name, separated by commas.')
param allowedWebRoles string = ''

@description('RESEND_COOLDOWN_MINUTES: for so long after a letter no other one follows unasked.')
@minValue(0)
@maxValue(1440)
param resendCooldownMinutes int?

@description('AUTO_INVITE_FILTER: which new contacts are invited by rule, as an OData filter.')
param autoInviteFilter string = ''

@description('REMIND_DAYS_BEFORE: days before its expiry that an invitation is reminded of; 0 for never.')
@minValue(0)
@maxValue(365)
param remindDaysBefore int?

@description('DIGEST_TO: addresses that get the daily digest, separated by commas.')
param digestTo string = ''

@description('SWEEP_SCOPE: ours closes only expired invitations that this app made.')
@allowed(['', 'all', 'ours'])
param sweepScope string = ''

@description('INLINE_SECONDS: how long a POST goes on sending before it answers 202.')
@minValue(1)
@maxValue(90)
param inlineSeconds int?

@description('GRAPH_URL: Microsoft Graph of a sovereign cloud.')
param graphUrl string = ''

@description('BATCH_STORE: folder of a share that is mounted on every instance. Empty: the storage account.')
param batchStore string = ''

@description('BATCH_KEEP_DAYS: how long finished journals and keys are kept.')
@minValue(1)
@maxValue(3650)
param batchKeepDays int?

@description('RUST_LOG: level of the log, such as info or info,portal_invite::remote=debug.')
param rustLog string = ''

// Schedules, NCRONTAB of six fields, in UTC. Empty: the one below, because the host has no default for them.

@description('DISPATCH_SCHEDULE: when accepted work is gone on with. Empty: each minute.')
param dispatchSchedule string = ''

@description('SWEEP_SCHEDULE: when expired invitations are closed. Empty: each hour at minute 15.')
param sweepSchedule string = ''

@description('REMIND_SCHEDULE: when reminders are planned. Empty: each day at 07:30.')
param remindSchedule string = ''

@description('DIGEST_SCHEDULE: when the digest is written. Empty: each day at 06:00.')
param digestSchedule string = ''

// Who may call, who hears of trouble, who deploys.

@description('Client id of the app registration that callers need a token for, beside the key. Empty: the key alone.')
param entraClientId string = ''

@description('Client ids of the applications that may call, separated by commas. Empty: each that gets a token.')
param entraAllowedApplications string = ''

@description('Addresses that alerts are mailed to, separated by commas. Empty: no alerts are made.')
param alertEmails string = ''

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Gigabytes of logs a day, above which nothing more is taken in until the next day.')
@minValue(1)
param logDailyCapGb int = 1

@description('Object id of a person or group that may read journals and change letters in the store. Empty: nobody.')
param storeEditorId string = ''

@description('What STORE_EDITOR_ID is.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param storeEditorType string = 'User'

@description('GitHub repository, owner/name, whose workflow may deploy the package. Empty: none.')
param githubRepository string = ''

@description('GitHub environment that the workflow runs in, as .github/workflows/deploy.yml names it.')
param githubEnvironment string = 'production'

var tags = { 'azd-env-name': environmentName }
var hash = toLower(uniqueString(subscription().id, environmentName, location))

var settings = {
  DATAVERSE_URL: dataverseUrl
  PORTAL_URL: portalUrl
  MAIL_SENDERS: mailSenders
  MAIL_DELIVERY: mailDelivery
  MAIL_RATE_PER_MINUTE: string(mailRatePerMinute ?? '')
  MAIL_REPLY_TO: mailReplyTo
  INVITATION_VALID_DAYS: string(invitationValidDays ?? '')
  INVITATION_OWNER: invitationOwner
  PORTAL_WEBSITE_ID: portalWebsiteId
  PORTAL_TIME_ZONE: portalTimeZone
  LANGUAGES: languages
  DEFAULT_LANGUAGE: defaultLanguage
  BRAND_NAME: brandName
  BRAND_COLOR: brandColor
  BRAND_LOGO_URL: brandLogoUrl
  SUPPORT_EMAIL: supportEmail
  TEMPLATE_DIR: templateDir
  ALLOW_LINKS: allowLinks
  ALLOWED_WORKFLOWS: allowedWorkflows
  ALLOWED_WEB_ROLES: allowedWebRoles
  RESEND_COOLDOWN_MINUTES: string(resendCooldownMinutes ?? '')
  AUTO_INVITE_FILTER: autoInviteFilter
  REMIND_DAYS_BEFORE: string(remindDaysBefore ?? '')
  DIGEST_TO: digestTo
  SWEEP_SCOPE: sweepScope
  INLINE_SECONDS: string(inlineSeconds ?? '')
  GRAPH_URL: graphUrl
  BATCH_STORE: batchStore
  BATCH_KEEP_DAYS: string(batchKeepDays ?? '')
  RUST_LOG: rustLog
  DISPATCH_SCHEDULE: empty(dispatchSchedule) ? '0 * * * * *' : dispatchSchedule
  SWEEP_SCHEDULE: empty(sweepSchedule) ? '0 15 * * * *' : sweepSchedule
  REMIND_SCHEDULE: empty(remindSchedule) ? '0 30 7 * * *' : remindSchedule
  DIGEST_SCHEDULE: empty(digestSchedule) ? '0 0 6 * * *' : digestSchedule
}

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: empty(resourceGroupName) ? 'rg-${environmentName}' : resourceGroupName
  location: location
  tags: tags
}

module identity 'identity.bicep' = {
  name: 'identity'
  scope: group
  params: { name: 'id-${hash}', location: location, tags: tags }
}

module storage 'storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'st${hash}'
    location: location
    tags: tags
    hostPrincipalId: identity.outputs.principalId
    editorPrincipalId: storeEditorId
    editorPrincipalType: storeEditorType
    batchKeepDays: batchKeepDays ?? 0
  }
}

module monitoring 'monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: 'log-${hash}'
    name: 'appi-${hash}'
    location: location
    tags: tags
    retentionDays: logRetentionDays
    dailyCapGb: logDailyCapGb
    publisherPrincipalId: identity.outputs.principalId
  }
}

module app 'app.bicep' = {
  name: 'app'
  scope: group
  params: {
    name: empty(appName) ? 'func-${hash}' : appName
    planName: 'plan-${hash}'
    location: location
    tags: tags
    maximumInstanceCount: maximumInstanceCount
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    blobEndpoint: storage.outputs.blobEndpoint
    packageContainerName: storage.outputs.packageContainerName
    monitoringConnectionString: monitoring.outputs.connectionString
    settings: settings
  }
}

module auth 'auth.bicep' = if (!empty(entraClientId)) {
  name: 'auth'
  scope: group
  params: {
    appName: app.outputs.name
    clientId: entraClientId
    allowedApplications: entraAllowedApplications
    webhook: !empty(autoInviteFilter)
  }
}

module alerts 'alerts.bicep' = if (!empty(alertEmails)) {
  name: 'alerts'
  scope: group
  params: {
    name: 'portal-invite-${environmentName}'
    location: location
    tags: tags
    monitoringId: monitoring.outputs.id
    emails: alertEmails
  }
}

module github 'github.bicep' = if (!empty(githubRepository)) {
  name: 'github'
  scope: group
  params: {
    name: 'id-github-${hash}'
    location: location
    tags: tags
    appName: app.outputs.name
    repository: githubRepository
    environmentName: githubEnvironment
  }
}

@description('Name of the function app, as azd expects it for the service api.')
output SERVICE_API_NAME string = app.outputs.name

@description('Name of the function app. A variable of the GitHub repository, too.')
output AZURE_FUNCTION_NAME string = app.outputs.name

@description('Resource group of everything.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Tenant of the subscription. A variable of the GitHub repository, too.')
output AZURE_TENANT_ID string = tenant().tenantId

@description('Address of the functions, with the prefix api.')
output API_BASE_URL string = 'https://${app.outputs.hostName}/api'

@description('Client (application) id of the identity of the app: Dataverse and Exchange ask for it.')
output IDENTITY_CLIENT_ID string = identity.outputs.clientId

@description('Object id of the identity of the app: Exchange and Graph ask for it.')
output IDENTITY_OBJECT_ID string = identity.outputs.principalId

@description('Blob service that holds journals and changed letters.')
output STORE_BLOB_ENDPOINT string = storage.outputs.blobEndpoint

@description('Client id that the GitHub workflow signs in with: its variable AZURE_CLIENT_ID. Empty without a repository.')
output GITHUB_CLIENT_ID string = empty(githubRepository) ? '' : github!.outputs.clientId

@description('Subscription. A variable of the GitHub repository, too.')
output AZURE_SUBSCRIPTION_ID string = subscription().subscriptionId
