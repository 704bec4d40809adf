# The settings of a project. Pass secrets as TF_VAR_... or from a secret store. They are never printed,
# but they are in Terraform's state: keep it in an encrypted backend.
variable "api_key" {
  description = "API key of the organization (Logfire: settings, API keys). Default: LOGFIRE_API_KEY."
  type        = string
  default     = null
  sensitive   = true
}

variable "project_id" {
  description = "ID (UUID) of the Logfire project."
  type        = string
}

variable "region" {
  description = "Region of the project: us or eu."
  type        = string
  default     = "us"

  validation {
    condition     = contains(["us", "eu"], var.region)
    error_message = "region must be us or eu: see the URL of the project in Logfire."
  }
}

variable "pager_webhook_url" {
  description = "Webhook for critical alerts (on-call)."
  type        = string
  sensitive   = true
}

variable "tickets_webhook_url" {
  description = "Webhook for warnings (tickets)."
  type        = string
  sensitive   = true
}

variable "webhook_format" {
  description = "Payload format of the webhooks; auto detects Slack URLs."
  type        = string
  default     = "auto"

  validation {
    condition     = contains(["auto", "slack-blockkit", "slack-legacy", "raw-data"], var.webhook_format)
    error_message = "webhook_format must be auto, slack-blockkit, slack-legacy or raw-data."
  }
}

variable "environments" {
  description = "Deployment environments that the alerts cover. Default: all."
  type        = set(string)
  default     = []
}

variable "notify_when" {
  description = "When Logfire notifies. Default: when an alert starts to fire, and when it resolves."
  type        = string
  default     = "has_matches_changed"

  validation {
    condition = contains(
      ["has_matches", "has_matches_changed", "matches_changed", "starts_having_matches"], var.notify_when
    )
    error_message = "notify_when must be has_matches, has_matches_changed, matches_changed or starts_having_matches."
  }
}
