# The image of Redis in Compose: Valkey with the files of Sector, which belong to its user. Mounted, they would have the modes of the
# checkout: with a umask of 077 this user could not read them. Another one: the variable REDIS_IMAGE.
ARG REDIS_IMAGE=valkey/valkey:9.1@sha256:4963247afc4cd33c7d3b2d2816b9f7f8eeebab148d29056c2ca4d7cbc966f2d9
FROM ${REDIS_IMAGE}
COPY --chown=999:999 redis.conf users.acl backup.sh /etc/redis/
USER 999:999
