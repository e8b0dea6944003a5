#!/usr/bin/env bash
# Starts the interactive frontend in the foreground; `giectl start_frontend` does the same in the background.
#   GRAPH_NAME     name of the graph (graph)
#   GRAPH_SCHEMA   file with the schema of the graph; required
#   PEGASUS_HOSTS  executors, host:port separated by commas (localhost:1234)
#   GREMLIN_PORT   8182
#   CYPHER_PORT    7687
#   JAVA_OPTS      more options of the virtual machine, separated by spaces
# --version prints what is in the image.
set -euo pipefail

if [ "${1:-}" = --version ]; then
  jar=$(echo "$GRAPHSCOPE_HOME"/lib/frontend-*.jar)
  jar=${jar##*/frontend-}
  echo "interactive frontend ${jar%.jar}"
  exec java -version
fi
: "${GRAPH_SCHEMA:?names no file with the schema of the graph}"

config=$(mktemp -d)
sed -e "s@GRAPH_NAME@${GRAPH_NAME:-graph}@g" \
    -e "s@GRAPH_SCHEMA@$GRAPH_SCHEMA@g" \
    -e "s@PEGASUS_HOSTS@${PEGASUS_HOSTS:-localhost:1234}@g" \
    -e "s@FRONTEND_GREMLIN_PORT@${GREMLIN_PORT:-8182}@g" \
    -e "s@FRONTEND_CYPHER_PORT@${CYPHER_PORT:-7687}@g" \
    -e "s@NEO4J_DISABLED@${NEO4J_DISABLED:-false}@g" \
    -e "s@THREADS_PER_WORKER@${THREADS_PER_WORKER:-2}@g" \
    "$GRAPHSCOPE_HOME/conf/frontend.vineyard.properties" >"$config/frontend.properties"

read -ra options <<<"${JAVA_OPTS:-}"
exec java -server -Djava.awt.headless=true -Dfile.encoding=UTF-8 -XX:+UseG1GC "${options[@]}" \
  -Dlogfilename=/var/log/graphscope/frontend.log -Dlogbasedir=/var/log/graphscope/frontend \
  -Dlog4j.configurationFile="file:$GRAPHSCOPE_HOME/conf/log4j2.xml" -Djna.library.path="$GRAPHSCOPE_HOME/lib" \
  -cp "$GRAPHSCOPE_HOME/lib/*" com.alibaba.graphscope.frontend.Frontend "$config/frontend.properties"
