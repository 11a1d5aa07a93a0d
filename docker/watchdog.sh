#!/bin/sh
usage='usage: watchdog.sh COMMAND ARGUMENT ...

Runs Redis by its command, and kills it after six pings without an answer, so that its container restarts.

  WATCHDOG_PERIOD_S  seconds between two pings (default: 10)

example:
  watchdog.sh valkey-server /etc/redis/redis.conf'
# A script that does not end blocks the server, also for SIGTERM. The append-only file has what was written before. A server that loads its
# data is left alone. The container needs an init process (`init: true`): the kernel does not let a container kill its process 1.
set -eu
case "${1-}" in
  -h | --help) echo "$usage" && exit ;;
  '') echo "$usage" >&2 && exit 2 ;;
esac

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
