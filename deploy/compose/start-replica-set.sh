#!/bin/bash
# mongod as a replica set of one, with users. Members know each other by a key file, which only its owner may read.
set -euo pipefail
umask 077
printf '%s\n' "$REPLICA_KEY" >/data/configdb/key
chown mongodb:mongodb /data/configdb/key
exec docker-entrypoint.sh mongod --replSet rs0 --keyFile /data/configdb/key --bind_ip_all
