# The learning engine, beside vineyard.

ARG REGISTRY=registry.cn-hongkong.aliyuncs.com/graphscope
ARG VINEYARD_VERSION=0.24.1
ARG GRAPHSCOPE_VERSION=0.28.0

# This stage is the same in coordinator, jupyter and learning, word for word: BuildKit then runs it once for the three.
# The environment sees the vineyard of the image, so pip brings no other one.
FROM $REGISTRY/graphscope-dev:v$VINEYARD_VERSION AS python
ARG GRAPHSCOPE_VERSION
RUN --mount=type=cache,target=/home/graphscope/.cache/pip,uid=1001 \
    python3 -m venv --without-pip /opt/graphscope \
 && echo /opt/vineyard/lib/python3.11/site-packages > /opt/graphscope/lib/python3.11/site-packages/vineyard.pth \
 && pip --python /opt/graphscope/bin/python install \
      "graphscope-client==$GRAPHSCOPE_VERSION" "gs-coordinator==$GRAPHSCOPE_VERSION" \
 && find /opt/graphscope -type d -name tests -prune -exec rm -rf {} +

FROM $REGISTRY/vineyard-runtime:v$VINEYARD_VERSION AS learning

COPY --link --chown=0:0 --from=python /opt/graphscope /opt/graphscope
ENV PATH=/opt/graphscope/bin:$PATH

ARG GRAPHSCOPE_VERSION
LABEL org.opencontainers.image.title="learning" \
      org.opencontainers.image.description="Graph learning engine of GraphScope" \
      org.opencontainers.image.version="$GRAPHSCOPE_VERSION" \
      org.opencontainers.image.source="https://github.com/alibaba/GraphScope" \
      org.opencontainers.image.licenses="Apache-2.0"

# Its arguments are the handle of a graph, the configuration of the server and its index, from the coordinator.
ENTRYPOINT ["python3", "-m", "gscoordinator.launch_graphlearn"]
# The port is the coordinator's choice, and the base's check would ask for a vineyard that is not here.
HEALTHCHECK NONE
