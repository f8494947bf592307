#!/bin/sh
# Makes the three peers known to each other, again and again, since a peer forgets the others when it is restarted.
peers="ipfs-1 ipfs-2 ipfs-3"
while :; do
  all=yes
  for from in $peers; do
    for to in $peers; do
      [ "$from" = "$to" ] && continue
      id=$(ipfs --api "/dns4/$to/tcp/5001" id --format '<id>') &&
        ipfs --api "/dns4/$from/tcp/5001" swarm peering add "/dns4/$to/tcp/4001/p2p/$id" >/dev/null || all=no
    done
  done
  if [ "$all" = yes ]; then touch /tmp/peered; else rm -f /tmp/peered; fi
  sleep 10
done
