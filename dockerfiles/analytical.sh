#!/usr/bin/env bash
# Starts the analytical engine, with a vineyard of its own unless VINEYARD_SOCKET names one that is there.
#   PORT     where it listens (60001)
#   WORKERS  how many processes work on a graph (1)
# Arguments go to grape_engine; --version prints what is in the image.
set -euo pipefail

if [ "${1:-}" = --version ]; then
  # the program itself does not know its version, the record of its wheel does
  sed -n 's/^Version: /grape_engine of GraphScope /p' /opt/graphscope/graphscope-*.dist-info/METADATA
  exec vineyardd --version
fi

# Open MPI was built for another directory, and looks for ssh even where there is no other host.
export OPAL_PREFIX=$GRAPHSCOPE_HOME/openmpi OMPI_MCA_plm=${OMPI_MCA_plm:-isolated}

socket=${VINEYARD_SOCKET:-/tmp/vineyard.sock}
if [ ! -S "$socket" ]; then
  vineyardd --meta=local --socket="$socket" &
  until [ -S "$socket" ]; do
    kill -0 $! || exit 1
    sleep 0.1
  done
fi

exec mpirun -n "${WORKERS:-1}" --oversubscribe \
  grape_engine --host 0.0.0.0 --port "${PORT:-60001}" --vineyard_socket "$socket" "$@"
