<#
.SYNOPSIS
Lets the app send from the sender mailboxes, and from no other: RBAC for Applications in Exchange Online.
.DESCRIPTION
Run by scripts/grant exchange. Makes what is missing, and sets the scope to the mailboxes that are named now, so it also
serves to change them. Needs the module ExchangeOnlineManagement and the role Exchange Administrator.
https://learn.microsoft.com/exchange/permissions-exo/application-rbac
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [guid] $AppId,
    [Parameter(Mandatory)] [guid] $ObjectId,
    [Parameter(Mandatory)] [string] $Senders,
    [switch] $SendOnly
)
$ErrorActionPreference = 'Stop'
# Another app of the tenant has a name of its own.
$name = 'portal-invite-' + "$AppId".Substring(0, 8)
$addresses = $Senders.Split(',')
# In the filter an address stands in single quotes, and a quote inside it is written twice.
$filter = ($addresses | ForEach-Object { "PrimarySmtpAddress -eq '" + $_.Replace("'", "''") + "'" }) -join ' -or '

Import-Module ExchangeOnlineManagement
Connect-ExchangeOnline -ShowBanner:$false
try {
    if (Get-ServicePrincipal | Where-Object AppId -EQ "$AppId") {
        Write-Output "Service principal ${AppId}: there already."
    } else {
        New-ServicePrincipal -AppId $AppId -ObjectId $ObjectId -DisplayName $name | Out-Null
        Write-Output "Service principal ${AppId}: made."
    }

    if (Get-ManagementScope | Where-Object Name -EQ $name) {
        Set-ManagementScope -Identity $name -RecipientRestrictionFilter $filter
        Write-Output "Scope ${name}: set to $Senders."
    } else {
        New-ManagementScope -Name $name -RecipientRestrictionFilter $filter | Out-Null
        Write-Output "Scope ${name}: made for $Senders."
    }

    $assigned = Get-ManagementRoleAssignment | Where-Object Name -Like "$name Mail.*"
    $rights = if ($SendOnly) { @('Mail.Send') } else { @('Mail.ReadWrite', 'Mail.Send') }
    foreach ($right in $rights) {
        if ($assigned | Where-Object Name -EQ "$name $right") {
            Write-Output "Application ${right}: there already."
        } else {
            New-ManagementRoleAssignment -Name "$name $right" -App $ObjectId -Role "Application $right" -CustomResourceScope $name | Out-Null
            Write-Output "Application ${right}: given."
        }
    }
    foreach ($assignment in $assigned | Where-Object Name -NotIn ($rights | ForEach-Object { "$name $_" })) {
        Remove-ManagementRoleAssignment -Identity $assignment.Name -Confirm:$false
        Write-Output "$($assignment.Name): taken away."
    }

    # The test looks at the grants themselves; Graph follows after 30 minutes to 2 hours.
    foreach ($address in $addresses) {
        $open = @(Test-ServicePrincipalAuthorization -Identity $ObjectId -Resource $address | Where-Object { "$($_.InScope)" -eq 'True' })
        if ($open.Count -lt $rights.Count) { throw "$address is not open to the app: is it a mailbox, and is that its primary address?" }
        Write-Output "${address}: open to the app."
    }
    $other = Get-EXOMailbox -ResultSize 50 | Where-Object PrimarySmtpAddress -NotIn $addresses | Select-Object -First 1
    if ($other) {
        $address = $other.PrimarySmtpAddress
        $open = @(Test-ServicePrincipalAuthorization -Identity $ObjectId -Resource $address | Where-Object { "$($_.InScope)" -eq 'True' })
        if ($open.Count -gt 0) { throw "$address, which is no sender, is open to the app as well: $($open.RoleName)" }
        Write-Output "${address}, as an example of all others: closed to the app."
    }
} finally {
    Disconnect-ExchangeOnline -Confirm:$false
}
