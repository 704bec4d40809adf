# Like prom/prometheus: runs as nobody, keeps its data in /prometheus.
ARG DEBIAN
FROM ${DEBIAN}
COPY prometheus /bin/prometheus
RUN install -d -o nobody -g nogroup /prometheus
USER nobody
WORKDIR /prometheus
ENTRYPOINT ["/bin/prometheus"]
