# Like redis: the user redis, and data in /data.
ARG DEBIAN
FROM ${DEBIAN}
RUN install -d -o redis -g redis /data
WORKDIR /data
CMD ["redis-server"]
