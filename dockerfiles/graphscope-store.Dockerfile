# The graph store (groot). No release carries its server, in PyPI or elsewhere, so it is built from the source at the tag.
# release.yaml says which source: its context `source` takes the place of the stage, as --build-context source=<checkout> does
# where the host is out of reach.

ARG REGISTRY=registry.cn-hongkong.aliyuncs.com/graphscope
ARG BASE_IMAGE=debian:12-slim
ARG VINEYARD_VERSION=0.24.1
ARG GRAPHSCOPE_VERSION=0.28.0

FROM scratch AS source
ARG GRAPHSCOPE_VERSION
ADD https://github.com/alibaba/GraphScope.git#v$GRAPHSCOPE_VERSION /

FROM $REGISTRY/graphscope-dev:v$VINEYARD_VERSION AS groot
USER 0
# The storage is written in Rust, over RocksDB; nothing else needs these.
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      cargo clang libclang-dev libssl-dev rustfmt \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
USER 1001
COPY --link --chown=1001:1001 --from=source / /home/graphscope/GraphScope
WORKDIR /home/graphscope/GraphScope/interactive_engine
RUN --mount=type=cache,target=/home/graphscope/.m2,uid=1001 \
    --mount=type=cache,target=/home/graphscope/.cargo/registry,uid=1001 \
    mvn clean package -P groot -DskipTests --quiet --batch-mode -Drust.compile.mode=release \
 && tar -xzf assembly/target/groot.tar.gz -C /home/graphscope

FROM $BASE_IMAGE AS graphscope-store
ENV LANG=C.UTF-8
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates openjdk-17-jre-headless \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1001 graphscope \
 && install -d -o graphscope -g graphscope /var/log/graphscope /var/lib/graphscope

COPY --link --chown=0:0 --from=groot /home/graphscope/groot /usr/local/groot
COPY --chmod=755 dockerfiles/graphscope-store.sh /usr/local/bin/graphscope-store
# The Bolt server inside is of the time of Java 11, and reaches into these packages.
ENV GROOT_HOME=/usr/local/groot \
    JDK_JAVA_OPTIONS="--add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED"

ARG GRAPHSCOPE_VERSION
LABEL org.opencontainers.image.title="graphscope-store" \
      org.opencontainers.image.description="Graph store of GraphScope" \
      org.opencontainers.image.version="$GRAPHSCOPE_VERSION" \
      org.opencontainers.image.source="https://github.com/alibaba/GraphScope" \
      org.opencontainers.image.licenses="Apache-2.0"

USER 1001
# The data lie where the configuration says, which by default is relative.
WORKDIR /var/lib/graphscope
# Gremlin, gRPC of the client
EXPOSE 12312 55556
ENTRYPOINT ["graphscope-store"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["bash", "-c", "</dev/tcp/127.0.0.1/${GREMLIN_PORT:-12312}"]
