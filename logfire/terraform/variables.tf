# What differs from one project to another. Secrets come by TF_VAR_... or a secret store, and are
# never printed; they are in Terraform's state, which therefore belongs into an encrypted backend.
variable "api_key" {
  description = "API key of the organization (Logfire: settings, API keys); by default LOGFIRE_API_KEY."
  type        = string
  default     = null
  sensitive   = true
}

variable "project_id" {
  description = "Id (UUID) of the Logfire project."
  type        = string
}

variable "region" {
  description = "Region of the project: us or eu."
  type        = string
  default     = "us"

  validation {
    condition     = contains(["us", "eu"], var.region)
    error_message = "region must be us or eu: it is in the address of the project's page."
  }
}

variable "pager_webhook_url" {
  description = "Where alerts that wake a person go."
  type        = string
  sensitive   = true
}

variable "tickets_webhook_url" {
  description = "Where alerts for office hours go."
  type        = string
  sensitive   = true
}

variable "webhook_format" {
  description = "What the webhooks take; auto knows Slack's addresses."
  type        = string
  default     = "auto"

  validation {
    condition     = contains(["auto", "slack-blockkit", "slack-legacy", "raw-data"], var.webhook_format)
    error_message = "webhook_format must be auto, slack-blockkit, slack-legacy or raw-data."
  }
}

variable "environments" {
  description = "Deployment environments that the alerts look at; none: all of them."
  type        = set(string)
  default     = []
}

variable "notify_when" {
  description = "By default people are told when an alert begins to fire, and when it ends."
  type        = string
  default     = "has_matches_changed"

  validation {
    condition = contains(
      ["has_matches", "has_matches_changed", "matches_changed", "starts_having_matches"], var.notify_when
    )
    error_message = "notify_when must be has_matches, has_matches_changed, matches_changed or starts_having_matches."
  }
}
