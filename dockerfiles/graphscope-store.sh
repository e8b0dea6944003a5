#!/usr/bin/env bash
# Starts the graph store in the foreground. Arguments go to its server; without any, one process plays every role.
#   GROOT_CONF_FILE  the configuration; without it, the one that groot ships, which brings its own Kafka and ZooKeeper
set -euo pipefail

if [ -z "${GROOT_CONF_FILE:-}" ]; then
  export GROOT_CONF_FILE=/tmp/groot.config
  sed "s@LOG4RS_CONFIG@$GROOT_HOME/conf/log4rs.yml@" "$GROOT_HOME/conf/config.template" >"$GROOT_CONF_FILE"
fi
export LOG_DIR=${LOG_DIR:-/var/log/graphscope}
exec "$GROOT_HOME/bin/store_ctl.sh" start "$@"
