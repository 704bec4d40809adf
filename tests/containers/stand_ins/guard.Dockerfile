# Like caddy: the program may listen on ports below 1024, so it starts only where that can be had.
ARG DEBIAN
FROM ${DEBIAN}
COPY caddy /usr/bin/caddy
RUN setcap cap_net_bind_service=+ep /usr/bin/caddy
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile"]
