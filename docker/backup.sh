#!/bin/sh
# All of this Redis as one file, and back. Run it in the container of Redis, where Compose and the manifests put it:
#
#   docker compose exec -T redis sh /etc/redis/backup.sh backup > world.rdb
#   docker compose exec -T redis sh /etc/redis/backup.sh restore < world.rdb
#
# Restore with the services stopped: they would read a world that went back in time. It needs memory for the world twice, for a moment.
# A file that cannot be read changes nothing. KEEPER_PASSWORD is that of the user keeper in users.acl.
set -eu
# By the environment: every user of the machine sees arguments.
cli() { REDISCLI_AUTH="${KEEPER_PASSWORD:-keeper}" valkey-cli -e --no-auth-warning --user keeper "$@"; }
say() { echo "backup: $*" >&2; }
trap 'exit 1' HUP INT TERM

backup() {
  made=$(mktemp /data/backup.XXXXXX)
  trap 'rm -f "$made"' EXIT
  cli --rdb "$made" >&2
  cat "$made"
}

# A second server reads the file, and this one becomes its replica until it has all; then its own append-only file has it too.
# The second one lets replicas in, on loopback, and nothing else. (This one would take a password for it from redis.conf only.)
restore() {
  made=$(mktemp -d /data/restore.XXXXXX)
  server='' follows=''
  trap end_restore EXIT
  cat >"$made/dump.rdb"
  valkey-server --port 6390 --bind 127.0.0.1 --dir "$made" --save "" --appendonly no \
    --user default on nopass resetchannels -@all +ping +sync +psync +replconf >"$made/log" 2>&1 &
  server=$!
  until valkey-cli -e -p 6390 ping >/dev/null 2>&1; do
    kill -0 "$server" 2>/dev/null || { tail -n 3 "$made/log" >&2; say "that is no file that this Redis can read; nothing was changed"; exit 1; }
    sleep 0.1
  done
  follows=yes
  cli replicaof 127.0.0.1 6390 >/dev/null
  until cli info replication | grep -q '^master_link_status:up'; do kill -0 "$server" 2>/dev/null || exit 1; sleep 0.1; done
  cli replicaof no one >/dev/null
  follows=''
  say "restored; start the services"
}

# However it ends, this Redis follows nobody: it could not be written.
end_restore() {
  [ -z "$follows" ] || { cli replicaof no one >/dev/null || true; say "it did not come to its end: restore again before the services start"; }
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$made"
}

case ${1-} in
  backup | restore) "$1" ;;
  *) say "usage: backup.sh backup >FILE, or backup.sh restore <FILE"; exit 2 ;;
esac
