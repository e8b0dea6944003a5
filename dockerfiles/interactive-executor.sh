#!/usr/bin/env bash
# Starts one interactive executor in the foreground; `giectl start_executor` does the same in the background.
#   VINEYARD_OBJECT_ID   the graph in vineyard; required
#   VINEYARD_IPC_SOCKET  where vineyard listens (/tmp/vineyard.sock)
#   SERVER_ID            0, 1, ... of SERVER_SIZE executors (0 of 1)
#   RPC_PORT             1234
#   NETWORK_SERVERS      all executors, host:port separated by commas (localhost:1235)
# --version prints what is in the image.
set -euo pipefail

if [ "${1:-}" = --version ]; then
  # the program itself does not know its version, the record of its wheel does
  sed -n 's/^Version: /gaia_executor of GraphScope /p' /opt/graphscope/graphscope-*.dist-info/METADATA
  exec vineyardd --version
fi
: "${VINEYARD_OBJECT_ID:?names no graph in vineyard}"

export VINEYARD_IPC_SOCKET=${VINEYARD_IPC_SOCKET:-/tmp/vineyard.sock} LOG_DIRS=/var/log/graphscope
config=$(mktemp -d)
sed -e "s@GRAPH_NAME@${GRAPH_NAME:-graph}@g" \
    -e "s@VINEYARD_OBJECT_ID@$VINEYARD_OBJECT_ID@g" \
    -e "s@RPC_PORT@${RPC_PORT:-1234}@g" \
    -e "s@SERVER_ID@${SERVER_ID:-0}@g" \
    -e "s@SERVER_SIZE@${SERVER_SIZE:-1}@g" \
    -e "s@NETWORK_SERVERS@${NETWORK_SERVERS:-localhost:1235}@g" \
    -e "s@THREADS_PER_WORKER@${THREADS_PER_WORKER:-2}@g" \
    "$GRAPHSCOPE_HOME/conf/executor.vineyard.properties" >"$config/executor.properties"

exec gaia_executor "$GRAPHSCOPE_HOME/conf/log4rs.yml" "$config/executor.properties" gaia
