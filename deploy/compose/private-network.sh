#!/bin/sh
# Before each start of a peer: a private network (only those with the key), no bootstrap, no discovery, no relays.
set -eu
printf '/key/swarm/psk/1.0.0/\n/base16/\n%s\n' "$SWARM_KEY" >"$IPFS_PATH/swarm.key"
chmod 600 "$IPFS_PATH/swarm.key"
ipfs config --json AutoConf.Enabled false
ipfs config --json AutoTLS.Enabled false
ipfs config --json Bootstrap '[]'
ipfs config --json DNS.Resolvers '{}'
ipfs config --json Ipns.DelegatedPublishers '[]'
ipfs config --json Routing '{"Type":"none","DelegatedRouters":[]}'
ipfs config --json Discovery.MDNS.Enabled false
ipfs config --json Swarm.DisableNatPortMap true
ipfs config --json Swarm.RelayClient.Enabled false
ipfs config --json Addresses.Swarm '["/ip4/0.0.0.0/tcp/4001"]'
