#!/bin/sh
# Creates the files that compose.yaml needs: passwords and tokens in deploy/secrets, and deploy/.env and
# deploy/manager.env. A file that exists stays as it is, so it is safe to run again. To replace the passwords of Redis,
# remove redis_url and worker_redis_url, run it again, and recreate the containers (docs/deploy.md).
#
# The folder deploy/secrets is for its owner only. The files in it are readable, because containers with other users
# read them.
set -eu
umask 077
cd "$(dirname "$0")"

random() { head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }
sha256() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }
# Writes the standard input to a file, unless the file exists.
create() {
  if [ -e "$1" ]; then return; fi
  cat > "$1.new"
  chmod "${2:-444}" "$1.new"
  mv "$1.new" "$1"
  echo "created deploy/$1"
}

mkdir -p secrets/workers
chmod 755 secrets/workers

create .env 600 <<END
# Settings of compose.yaml.
# The first three numbers of a network that nothing else on this machine uses. Workers reach Redis at its address .1
STORE_NET=${STORE_NET:-172.31.251}
# The namespace of this manager; another name only if two managers share the machine's Docker.
CELL=${CELL:-default}
END
create manager.env 600 <<END
# Settings of the manager, one NAME=VALUE on a line; docs/settings.md lists them. Run "docker compose up -d" after changes.
LOG_LEVEL=info
END
store_net=$(sed -n 's/^STORE_NET=//p' .env)
cell=$(sed -n 's/^CELL=//p' .env)

random | create secrets/api_token
random | create secrets/grafana_password

if [ ! -e secrets/redis_users ] || [ ! -e secrets/redis_url ] || [ ! -e secrets/worker_redis_url ]; then
  # Workers that run have the password of their start: it stays valid until the next replacement.
  before=
  if [ -e secrets/redis_users ]; then before=$(sed -n 's/^user worker on \(#[0-9a-f]*\) .*/ \1/p' secrets/redis_users); fi
  rm -f secrets/redis_users secrets/redis_url secrets/worker_redis_url
  manager=$(random)
  worker=$(random)
  # The names of keys begin with the cell, unless it is "default". Those of a worker go on with its UUID, as no other
  # key does, so a worker cannot send commands to the manager. The keys of managers' tokens it can only read.
  [ "$cell" = default ] && prefix= || prefix="$cell:"
  id="${prefix}worker:????????-????-????-????-????????????"
  common='-@all +@connection +@read +@write +@pubsub +@transaction +@scripting -@admin -@dangerous +info +time'
  # No client can be "default", but Redis checks its rights when it reads transactions from the append-only file.
  create secrets/redis_users <<END
user default off resetpass ~* &* +@all
user health on nopass resetchannels -@all +ping
user manager on #$(sha256 "$manager") ~* &* $common +config|get +client|unblock
user worker on #$(sha256 "$worker")$before resetchannels &$id:* &${prefix}task:* ~$id ~$id:* ~${prefix}worker:bodies ~${prefix}task:* ~${prefix}node:* ~${prefix}nodes %R~${prefix}worker:door-key:* $common -scan -randomkey
END
  printf 'redis://manager:%s@redis:6379' "$manager" | create secrets/redis_url
  printf 'redis://worker:%s@%s.1:6379' "$worker" "$store_net" | create secrets/worker_redis_url
fi
