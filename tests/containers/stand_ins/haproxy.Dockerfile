# Like haproxy: runs as haproxy.
ARG DEBIAN
FROM ${DEBIAN}
USER haproxy
STOPSIGNAL SIGUSR1
CMD ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
