# Like postgres: makes the user, the password and the database on the first start.
ARG DEBIAN
FROM ${DEBIAN}
COPY postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
RUN ln -s /usr/lib/postgresql/*/bin/* /usr/local/bin/ \
 && rm -rf /var/lib/postgresql && install -d -o postgres -g postgres /var/lib/postgresql
ENV PGDATA=/var/lib/postgresql/docker
STOPSIGNAL SIGINT
ENTRYPOINT ["/bin/sh", "/usr/local/bin/docker-entrypoint.sh"]
CMD ["postgres"]
