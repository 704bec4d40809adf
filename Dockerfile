# The project's own images: `app` runs the API, the worker and the scripts before the collector's start;
# `stand-in` runs the Logfire stand-in and the notification recorder.
#   docker build --target app -t agentical/app:0.1.0 .
# Uses no BuildKit features, so that any builder works.
ARG PYTHON_IMAGE=python:3.13.15-slim-bookworm

FROM ${PYTHON_IMAGE} AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/srv \
    PATH=/opt/venv/bin:$PATH
WORKDIR /srv

FROM base AS build
ARG UV_VERSION=0.13.9
ENV UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_PYTHON_DOWNLOADS=never \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy
RUN pip install --no-cache-dir "uv==${UV_VERSION}"
COPY pyproject.toml uv.lock ./
COPY otelcol_runner/pyproject.toml otelcol_runner/
COPY pytest_otelcol/pyproject.toml pytest_otelcol/
RUN uv sync --locked --no-dev --no-install-workspace --extra overlays --no-cache

FROM base AS app
COPY --from=build /opt/venv /opt/venv
COPY app app
# New volumes take their owner, the collector's user, from these folders.
RUN mkdir -p /var/lib/otelcol/queue /var/lib/otelcol/overlays && chown 10001:10001 /var/lib/otelcol/*
USER 65532:65532
CMD ["python", "-m", "app.api"]

FROM build AS build-stand-in
RUN uv sync --locked --no-dev --no-install-workspace --extra stand-in --no-cache

FROM base AS stand-in
COPY --from=build-stand-in /opt/venv /opt/venv
COPY stack stack
USER 65532:65532
CMD ["python", "-m", "stack.standins.logfire"]
