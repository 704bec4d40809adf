# Like python: `python` and `pip` that install anywhere; trusts whom the building machine trusts, and asks
# the same registries, also for the npm that a build installs.
ARG DEBIAN
FROM ${DEBIAN}
COPY trusted.pem /etc/ssl/certs/ca-certificates.crt
COPY pip.conf /etc/pip.conf
COPY npmrc /root/.npmrc
RUN ln -s python3 /usr/bin/python && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
    NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
CMD ["python"]
