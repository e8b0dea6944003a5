# The analytical engine, and the same with Java.

ARG REGISTRY=registry.cn-hongkong.aliyuncs.com/graphscope
ARG VINEYARD_VERSION=0.24.1
ARG GRAPHSCOPE_VERSION=0.28.0

FROM $REGISTRY/graphscope-dev:v$VINEYARD_VERSION AS engine
ARG GRAPHSCOPE_VERSION
# The wheels are taken as the packages of programs and headers: what they ask for in Python is not needed.
# What the interactive engine has of them is left out.
RUN --mount=type=cache,target=/home/graphscope/.cache/pip,uid=1001 \
    pip install --no-deps --target /opt/graphscope \
      "graphscope==$GRAPHSCOPE_VERSION" "gs-apps==$GRAPHSCOPE_VERSION" "gs-engine==$GRAPHSCOPE_VERSION" \
      "gs-include==$GRAPHSCOPE_VERSION" \
 && rm -f /opt/graphscope/graphscope.runtime/lib/*.jar \
      /opt/graphscope/graphscope.runtime/bin/giectl /opt/graphscope/graphscope.runtime/bin/gaia_executor

FROM $REGISTRY/vineyard-dev:v$VINEYARD_VERSION AS analytical

COPY --link --chown=0:0 --from=engine /opt/graphscope /opt/graphscope
COPY --chmod=755 dockerfiles/analytical.sh /usr/local/bin/analytical
ARG GRAPHSCOPE_VERSION
# The engine loads libvineyard_internal_registry.so by name, hence the library path.
ENV GRAPHSCOPE_HOME=/opt/graphscope/graphscope.runtime \
    LD_LIBRARY_PATH=/opt/graphscope/graphscope.runtime/lib
ENV PATH=$GRAPHSCOPE_HOME/bin:$GRAPHSCOPE_HOME/openmpi/bin:$PATH

LABEL org.opencontainers.image.title="analytical" \
      org.opencontainers.image.description="Analytical engine of GraphScope" \
      org.opencontainers.image.version="$GRAPHSCOPE_VERSION" \
      org.opencontainers.image.source="https://github.com/alibaba/GraphScope" \
      org.opencontainers.image.licenses="Apache-2.0"

EXPOSE 60001
ENTRYPOINT ["analytical"]
# The command is empty: the base's is for vineyardd.
CMD []
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
  CMD ["bash", "-c", "</dev/tcp/127.0.0.1/${PORT:-60001}"]

FROM analytical AS analytical-java
USER 0
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends openjdk-17-jdk-headless \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
USER 1001
ENV JAVA_HOME=/usr/lib/jvm/java-17-openjdk-amd64

LABEL org.opencontainers.image.title="analytical-java" \
      org.opencontainers.image.description="Analytical engine of GraphScope, with Java"
