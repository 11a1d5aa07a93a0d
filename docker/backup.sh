#!/bin/sh
usage='usage: backup.sh backup >FILE, or backup.sh restore <FILE

Backs up all data of this Redis to one file, and restores it. Run it in the container of Redis.
Stop the services before a restore: otherwise they read a world that went back in time. A restore needs memory for the data twice.
If the file cannot be read, nothing changes.

  KEEPER_PASSWORD  password of the user keeper in users.acl (default: keeper)

examples:
  docker compose exec -T redis sh /etc/redis/backup.sh backup > world.rdb
  docker compose exec -T redis sh /etc/redis/backup.sh restore < world.rdb'
set -eu
# The password is passed in the environment, because arguments are visible to every user of the machine.
cli() { REDISCLI_AUTH="${KEEPER_PASSWORD:-keeper}" valkey-cli -e --no-auth-warning --user keeper "$@"; }
say() { echo "backup: $*" >&2; }
trap 'exit 1' HUP INT TERM

backup() {
  work=$(mktemp /data/backup.XXXXXX)
  trap 'rm -f "$work"' EXIT
  cli --rdb "$work" >&2
  cat "$work"
}

# A second server loads the file, and this server becomes its replica until it has synced. Then its append-only file has the data too.
# The second server accepts only replication, on loopback, without a password: `masterauth` can be set in redis.conf only.
restore() {
  work=$(mktemp -d /data/restore.XXXXXX)
  server='' follows=''
  trap end_restore EXIT
  cat >"$work/dump.rdb"
  valkey-server --port 6390 --bind 127.0.0.1 --dir "$work" --save "" --appendonly no \
    --user default on nopass resetchannels -@all +ping +sync +psync +replconf >"$work/log" 2>&1 &
  server=$!
  until valkey-cli -e -p 6390 ping >/dev/null 2>&1; do
    kill -0 "$server" 2>/dev/null || { tail -n 3 "$work/log" >&2; say "the file cannot be read by this version of Redis; nothing was changed"; exit 1; }
    sleep 0.1
  done
  follows=yes
  cli replicaof 127.0.0.1 6390 >/dev/null
  until cli info replication | grep -q '^master_link_status:up'; do kill -0 "$server" 2>/dev/null || exit 1; sleep 0.1; done
  cli replicaof no one >/dev/null
  follows=''
  say "restored; start the services"
}

# In any case this server becomes a master again: a replica is read-only.
end_restore() {
  [ -z "$follows" ] || { cli replicaof no one >/dev/null || true; say "the restore was interrupted: run it again before the services start"; }
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  rm -rf "$work"
}

case ${1-} in
  backup | restore) "$1" ;;
  -h | --help) echo "$usage" ;;
  *) say "$(echo "$usage" | head -1)"; exit 2 ;;
esac
