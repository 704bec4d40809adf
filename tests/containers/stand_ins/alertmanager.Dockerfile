# Like prom/alertmanager: runs as nobody, keeps its data in /alertmanager.
ARG DEBIAN
FROM ${DEBIAN}
COPY alertmanager /bin/alertmanager
RUN install -d -o nobody -g nogroup /alertmanager
USER nobody
WORKDIR /alertmanager
ENTRYPOINT ["/bin/alertmanager"]
