# Logfire's alerts of alerts/matrix.yaml, their notification channels, and the dashboards. The queries
# come from ../alerts and ../generated, the thresholds from the matrix.
#
# Never applied, for lack of a Logfire project. README.md says what was tested instead.
terraform {
  required_version = ">= 1.8"

  required_providers {
    logfire = {
      source  = "pydantic/logfire"
      version = ">= 0.1.13, < 0.2.0"
    }
  }
}

provider "logfire" {
  api_key  = var.api_key
  base_url = "https://logfire-${var.region}.pydantic.dev"
}

locals {
  matrix = yamldecode(file("${path.module}/../../alerts/matrix.yaml"))

  alerts = { for alert in local.matrix.alerts : alert.name => alert if can(alert.logfire) }

  # ApplicationLatencyHigh is evaluated by application_latency_high.sql.
  queries = {
    for name, alert in local.alerts : name => templatefile(
      "${path.module}/../alerts/${lower(replace(name, "/([a-z0-9])([A-Z])/", "$${1}_$${2}"))}.sql",
      merge({ threshold = alert.logfire.threshold }, try(alert.logfire.numbers, {}))
    )
  }

  # The receivers of prometheus/alertmanager.yml have the same names and severities.
  channels = {
    critical = logfire_channel.pager.id
    warning  = logfire_channel.tickets.id
  }

  dashboards = fileset("${path.module}/../generated", "*.json")
}

resource "logfire_channel" "pager" {
  name = "agentical-pager"

  config {
    type   = "webhook"
    format = var.webhook_format
    url    = var.pager_webhook_url
  }
}

resource "logfire_channel" "tickets" {
  name = "agentical-tickets"

  config {
    type   = "webhook"
    format = var.webhook_format
    url    = var.tickets_webhook_url
  }
}

resource "logfire_alert" "matrix" {
  for_each = local.alerts

  project_id = var.project_id
  name       = each.key
  description = join(" ", [
    "[${each.value.severity}] ${each.value.means} Action: ${each.value.action}.",
    "Runbook: ${local.matrix.links.runbooks}#${lower(each.key)}",
    "Dashboard: ${local.matrix.links.grafana}/d/${each.value.dashboard}",
  ])
  query        = local.queries[each.key]
  time_window  = each.value.logfire.window
  frequency    = each.value.logfire.frequency
  environments = var.environments
  notify_when  = var.notify_when

  # No channel if Prometheus notifies: the alert is visible in Logfire, but not sent a second time.
  channel_ids = try(each.value.notifies, "logfire") == "logfire" ? [local.channels[each.value.severity]] : []
}

resource "logfire_dashboard" "views" {
  for_each = local.dashboards

  project_id = var.project_id
  name       = jsondecode(file("${path.module}/../generated/${each.key}")).spec.display.name
  slug       = trimsuffix(each.key, ".json")
  definition = file("${path.module}/../generated/${each.key}")
}
