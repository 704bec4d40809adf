"""The settings of the API and the worker, from environment variables."""

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(ValueError):
    """A variable has an unusable value; the message names the variable."""


class Settings(BaseSettings):
    """One field for each variable: `api_port` is `API_PORT`. The defaults suit a single machine."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8000, ge=1, le=65535)
    api_url: str = Field(default="http://127.0.0.1:8000", pattern=r"^https?://[^/\s]+")
    api_max_body_bytes: int = Field(default=262_144, ge=1_024)

    postgres_host: str = "127.0.0.1"
    postgres_port: int = Field(default=5432, ge=1, le=65535)
    postgres_user: str = "agentical"
    postgres_password: SecretStr = SecretStr("")
    postgres_db: str = "agentical"
    postgres_pool_size: int = Field(default=10, ge=1, le=100)

    redis_host: str = "127.0.0.1"
    redis_port: int = Field(default=6379, ge=1, le=65535)
    redis_password: SecretStr = SecretStr("")

    task_queue: str = Field(default="tasks", min_length=1)
    task_lease_seconds: float = Field(default=60, ge=0.3)
    """Seconds after which a task goes to another worker unless its worker renews the lease."""


def load() -> Settings:
    """Read the environment; raises one `SettingsError` that lists all bad values."""
    try:
        return Settings()
    except ValidationError as error:
        # Never print the value: it may be a password in the wrong variable.
        bad = [f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
        raise SettingsError(f"environment variable {'; '.join(bad)}") from None
