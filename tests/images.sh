#!/usr/bin/env bash
# Runs every published image and asserts what it says of itself: the versions, the user, the labels, and that the
# component starts until its own health check is content.
#
#   tests/images.sh REGISTRY VINEYARD_VERSION GRAPHSCOPE_VERSION [IMAGE...]
#   tests/images.sh 127.0.0.1:5000/graphscope 0.24.1 0.28.0
#
# Without IMAGE, all of release.yaml. SKIP="graphscope-store ..." leaves some out, and says so.
# An image that was not there before is removed again. One line an image; exit 1 when one of them is not as it should be.
# The checks are called by the names of the images:
# shellcheck disable=SC2329
set -euo pipefail

[ $# -ge 3 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; }
registry=$1 vineyard=$2 graphscope=$3
shift 3
v6d=(graphscope-dev-base graphscope-dev graphscope-dev-wheel vineyard-dev vineyard-runtime)
gs=(coordinator analytical analytical-java interactive-frontend interactive-executor learning graphscope-store dataset jupyter)
images=("$@")
[ $# -gt 0 ] || images=("${v6d[@]}" "${gs[@]}")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
container=

die() {
  echo "$*" >&2
  exit 1
}

reference() {
  case $1 in
  graphscope-dev-wheel) echo "$registry/graphscope-dev:wheel-v$vineyard" ;;
  graphscope-dev* | vineyard-*) echo "$registry/$1:v$vineyard" ;;
  *) echo "$registry/$1:$graphscope" ;;
  esac
}

# in_image COMMAND: run by bash in a new container of the image, its output on stdout
in_image() {
  docker run --rm --entrypoint bash "$ref" -euc "$1" 2>&1
}

# has TEXT OUTPUT: the output has the text, else the check fails and shows it
has() {
  case $2 in
  *"$1"*) ;;
  *) die "no \"$1\" in: $2" ;;
  esac
}

# start OPTIONS... -- ARGUMENTS...: the image as it is meant to run, until its health check is content
start() {
  local options=()
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  [ $# -eq 0 ] || shift
  container=$(docker run --detach --health-interval 1s "${options[@]}" "$ref" "$@")
  for _ in $(seq 90); do
    [ "$(docker inspect --format '{{.State.Running}} {{.State.Health.Status}}' "$container")" != "true healthy" ] || return 0
    [ "$(docker inspect --format '{{.State.Running}}' "$container")" = true ] || break
    sleep 1
  done
  docker logs --tail 20 "$container" >&2
  die "did not become healthy"
}

stop() {
  docker rm --force "$container" >/dev/null
  container=
}

vineyard_is_right() {
  has "vineyardd version $vineyard" "$(in_image 'vineyardd --version')"
  has "$vineyard" "$(in_image 'python3 -c "import vineyard; print(vineyard.__version__)"')"
}

check_graphscope-dev-base() {
  in_image 'cmake --version; mvn --version; g++ --version; python3 --version' >/dev/null
  # shellcheck disable=SC2016
  in_image '! command -v vineyardd && [ -z "$(ls -A /opt/vineyard)" ]' >/dev/null || die "vineyard is in the image that is without it"
}

check_graphscope-dev() { vineyard_is_right; }

check_graphscope-dev-wheel() {
  vineyard_is_right
  in_image 'auditwheel --version; patchelf --version; pyproject-build --version' >/dev/null
}

check_vineyard-dev() {
  vineyard_is_right
  start
  has "(1, 2, 3)" "$(docker exec "$container" python3 -c "
import vineyard
client = vineyard.connect('/tmp/vineyard.sock')
print(client.get(client.put([1, 2, 3])))" 2>&1)"
  stop
}

check_vineyard-runtime() { check_vineyard-dev; }

check_coordinator() {
  vineyard_is_right
  has "coordinator $graphscope" "$(in_image 'python3 -c "
from gscoordinator.version import __version__
print(\"coordinator\", __version__)"')"
  start
  docker exec "$container" python3 -c "
import grpc
grpc.channel_ready_future(grpc.insecure_channel('127.0.0.1:63800')).result(timeout=10)" >&2
  stop
}

check_analytical() {
  vineyard_is_right
  has "grape_engine of GraphScope $graphscope" "$(docker run --rm "$ref" --version)"
  start
  has "Analytical server is listening" "$(docker logs "$container" 2>&1)"
  stop
}

check_analytical-java() {
  check_analytical
  has "javac 17" "$(in_image 'javac -version')"
}

check_interactive-frontend() {
  has "interactive frontend $graphscope" "$(docker run --rm "$ref" --version 2>&1)"
  cat >"$work/schema.json" <<'J'
{"types": [
  {"id": 0, "label": "person", "type": "VERTEX", "propertyDefList": [{"id": 1, "name": "id", "data_type": "LONG"}],
   "indexes": [{"name": "PRIMARY_KEY", "indexType": "PRIMARY_KEY", "propertyNames": ["id"]}], "rawRelationShips": []},
  {"id": 1, "label": "knows", "type": "EDGE", "propertyDefList": [{"id": 1, "name": "weight", "data_type": "DOUBLE"}],
   "indexes": [], "rawRelationShips": [{"srcVertexLabel": "person", "dstVertexLabel": "person"}]}]}
J
  chmod 755 "$work"
  start --volume "$work/schema.json:/schema.json:ro" --env GRAPH_SCHEMA=/schema.json
  stop
}

check_interactive-executor() {
  vineyard_is_right
  has "gaia_executor of GraphScope $graphscope" "$(docker run --rm "$ref" --version 2>&1)"
  # With a vineyard that has no such graph, the executor gets as far as asking for it.
  has "Object not exists" "$(in_image '
    vineyardd --meta=local --socket=/tmp/vineyard.sock >/dev/null 2>&1 &
    until [ -S /tmp/vineyard.sock ]; do sleep 0.1; done
    VINEYARD_OBJECT_ID=1 timeout 20 interactive-executor || true')"
}

check_learning() {
  vineyard_is_right
  has "graphscope $graphscope" "$(in_image 'python3 -c "
import graphscope, graphscope.learning, graphscope.learning.graphlearn
print(\"graphscope\", graphscope.__version__)"')"
  has "Usage: ./launch_graphlearn.py" "$(docker run --rm "$ref" 2>&1 || true)"
}

check_graphscope-store() {
  start
  stop
}

check_dataset() {
  start
  has "GraphScope $graphscope" "$(docker exec "$container" busybox wget -q -O - http://127.0.0.1:8080/index.txt)"
  has "marko" "$(docker exec "$container" busybox wget -q -O - http://127.0.0.1:8080/modern_graph/person.csv)"
  stop
}

check_jupyter() {
  vineyard_is_right
  has "graphscope $graphscope" "$(in_image 'python3 -c "import graphscope; print(\"graphscope\", graphscope.__version__)"')"
  start
  stop
}

check() {
  docker pull --quiet "$ref" >/dev/null
  [ "$(in_image 'id -u')" = 1001 ] || die "does not run as the user 1001"
  local label='{{index .Config.Labels "org.opencontainers.image.version"}}' version
  version=$(docker inspect --format "$label" "$ref")
  case $1 in
  graphscope-dev-base) ;; # it has no version of its own
  graphscope-dev* | vineyard-*) [ "$version" = "$vineyard" ] || die "is labelled $version" ;;
  *) [ "$version" = "$graphscope" ] || die "is labelled $version" ;;
  esac
  [ "$(docker inspect --format '{{index .Config.Labels "org.opencontainers.image.title"}}' "$ref")" = "$1" ] || die "has another title"
  "check_$1"
}

failed=0
for image in "${images[@]}"; do
  case " ${SKIP:-} " in
  *" $image "*)
    echo "skipped  $image"
    continue
    ;;
  esac
  began=$SECONDS
  # In a process of its own: the first check that fails ends it, and the next image is looked at all the same.
  # It is no condition of an `if`, where bash would not stop at a failure.
  set +e
  (
    set -e
    ref=$(reference "$image")
    # Unpacked, all of them together fill the disk of a small runner: what was not there before does not stay.
    leave() {
      [ -z "$container" ] || docker rm --force "$container" >/dev/null
      [ -n "$present" ] || docker rmi "$ref" >/dev/null
    }
    present=$(docker images --quiet "$ref")
    trap leave EXIT
    check "$image"
  ) 2>"$work/log"
  result=$?
  set -e
  if [ "$result" = 0 ]; then
    echo "ok       $image ($((SECONDS - began))s)"
  else
    failed=1
    echo "FAILED   $image: $(tail -n 20 "$work/log")"
  fi
done
exit "$failed"
