#!/bin/sh
# Runs Redis, and kills it after a minute without an answer, so that its container restarts: `watchdog.sh valkey-server redis.conf`.
#
# A script that does not end blocks the server, also for SIGTERM. The append-only file has what was written before. A server that loads its
# data is left alone. The container needs an init process (`init: true`): the kernel does not let a container kill its process 1.
set -eu

# As the liveness probe of k8s/redis/redis.yaml.
period_s=${WATCHDOG_PERIOD_S:-10}
max_failures=6
server=$$

# A server that rejects the user, or has no connection left, answers too, and serves the connections that it has.
answers() {
  timeout 5 valkey-cli --user probe --pass probe --no-auth-warning ping 2>&1 |
    grep -qE '^(PONG|LOADING|MASTERDOWN|AUTH failed|ERR|NOAUTH|NOPERM|WRONGPASS)'
}

watch() {
  failures=0
  while sleep "$period_s" && kill -0 "$server" 2>/dev/null; do
    if answers; then
      failures=0
    elif [ "$((failures += 1))" -ge "$max_failures" ]; then
      echo "watchdog: Redis did not answer $failures times and is killed" >&2
      kill -KILL "$server"
      return
    fi
  done
}

watch &
exec "$@"
