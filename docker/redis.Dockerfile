# The image of Redis in Compose: Valkey with the configuration of Sector, owned by its user. Mounted files would have the modes of the
# checkout, and with a umask of 077 this user could not read them. Set REDIS_IMAGE for another base image.
ARG REDIS_IMAGE=valkey/valkey:9.1@sha256:4963247afc4cd33c7d3b2d2816b9f7f8eeebab148d29056c2ca4d7cbc966f2d9
FROM ${REDIS_IMAGE}
COPY --chown=999:999 redis.conf users.acl backup.sh watchdog.sh /etc/redis/
USER 999:999
