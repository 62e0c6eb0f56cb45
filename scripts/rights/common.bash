# shellcheck shell=bash disable=SC2154
# What every part of scripts/grant does: speak, show a command instead of running it, and ask by az. Sourced by
# scripts/grant, which sets `dry_run`, `tenant` and `resource`.

# Answers are read from standard output inside $(...); what a person reads goes to the one behind it.
exec 3>&1

die() {
  printf 'scripts/grant: %s\n' "$*" >&2
  exit 1
}

say() { printf '%s\n' "$*" >&3; }

# How something stands. A dry run only supposes it, so there it is a comment; and it has nothing to compare.
tell() {
  if [[ -z $dry_run ]]; then
    say "$*"
  elif [[ $task != check ]]; then
    say "# $*"
  fi
}

# A command as a person would type it.
show() {
  local word line=
  for word in "$@"; do
    [[ $word =~ ^[A-Za-z0-9_./:=@,%-]+$ ]] || word="'${word//\'/\'\\\'\'}'"
    line+="${line:+ }$word"
  done
  say "$line"
}

needs() { # COMMAND, where it comes from
  command -v "$1" >/dev/null || die "'$1' is missing: see $2"
}

run() {
  if [[ -n $dry_run ]]; then
    show "$@"
  else
    "$@"
  fi
}

# Reads with az; what a dry run goes on with is the second argument.
get() { # URL, PLACEHOLDER
  local command=(az rest --only-show-errors --method GET --resource "$resource" --url "$1")
  if [[ -n $dry_run ]]; then
    show "${command[@]}"
    printf '%s' "$2"
  else
    "${command[@]}" || die "it could not be read; what az says is above"
  fi
}

post() { # URL, BODY
  run az rest --only-show-errors --method POST --resource "$resource" --url "$1" \
    --headers Content-Type=application/json --body "$2" >/dev/null ||
    die "it was not done; what az says is above"
}

encode() { jq --raw-output --null-input --arg text "$1" '$text | @uri'; }

# The text of an OData literal.
literal() { encode "'${1//\'/\'\'}'"; }

check_sign_in() {
  [[ -z $dry_run ]] || return 0
  needs az https://learn.microsoft.com/cli/azure/install-azure-cli
  local found
  found=$(az account show --query tenantId --output tsv 2>/dev/null) ||
    die "az is not signed in: run 'az login --allow-no-subscriptions'"
  [[ -z $tenant || ${found,,} == "${tenant,,}" ]] ||
    die "az is signed in to the tenant $found, not to $tenant: run 'az login --tenant $tenant'"
}
