# Like python: `python` and `pip` that install anywhere; trusts whom the building machine trusts.
ARG DEBIAN
FROM ${DEBIAN}
COPY trusted.pem /etc/ssl/certs/ca-certificates.crt
COPY pip.conf /etc/pip.conf
RUN ln -s python3 /usr/bin/python && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt
CMD ["python"]
