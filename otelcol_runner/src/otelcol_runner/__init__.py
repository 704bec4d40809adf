"""Runs OpenTelemetry Collectors and other servers as child processes, and sends them OTLP."""
