# The interactive engine: the frontend compiles queries, the executor runs them.

ARG REGISTRY=registry.cn-hongkong.aliyuncs.com/graphscope
ARG BASE_IMAGE=debian:12-slim
ARG VINEYARD_VERSION=0.24.1
ARG GRAPHSCOPE_VERSION=0.28.0

FROM $REGISTRY/graphscope-dev:v$VINEYARD_VERSION AS engine
ARG GRAPHSCOPE_VERSION
# The wheels are taken as the packages of programs and jars: what they ask for in Python is not needed.
# What the analytical engine has of them is left out.
RUN --mount=type=cache,target=/home/graphscope/.cache/pip,uid=1001 \
    pip install --no-deps --target /opt/graphscope "graphscope==$GRAPHSCOPE_VERSION" "gs-engine==$GRAPHSCOPE_VERSION" \
 && rm -rf /opt/graphscope/graphscope.runtime/bin/grape_engine /opt/graphscope/graphscope.runtime/openmpi

FROM $BASE_IMAGE AS interactive-frontend
ENV LANG=C.UTF-8
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates openjdk-17-jre-headless \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1001 graphscope \
 && install -d -o graphscope -g graphscope /var/log/graphscope

# Of the libraries, the frontend loads libir_core alone.
COPY --link --chown=0:0 --from=engine /opt/graphscope/graphscope.runtime/bin/giectl /opt/graphscope/graphscope.runtime/bin/giectl
COPY --link --chown=0:0 --from=engine /opt/graphscope/graphscope.runtime/conf /opt/graphscope/graphscope.runtime/conf
COPY --link --chown=0:0 --from=engine /opt/graphscope/graphscope.runtime/lib/*.jar /opt/graphscope/graphscope.runtime/lib/libir_core.so \
     /opt/graphscope/graphscope.runtime/lib/
COPY --chmod=755 dockerfiles/interactive-frontend.sh /usr/local/bin/interactive-frontend
# The Bolt server inside the frontend is of the time of Java 11, and reaches into these packages.
ENV GRAPHSCOPE_HOME=/opt/graphscope/graphscope.runtime \
    JDK_JAVA_OPTIONS="--add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED"
ENV PATH=$GRAPHSCOPE_HOME/bin:$PATH

ARG GRAPHSCOPE_VERSION
LABEL org.opencontainers.image.title="interactive-frontend" \
      org.opencontainers.image.description="Frontend of the interactive engine of GraphScope" \
      org.opencontainers.image.version="$GRAPHSCOPE_VERSION" \
      org.opencontainers.image.source="https://github.com/alibaba/GraphScope" \
      org.opencontainers.image.licenses="Apache-2.0"

USER 1001
WORKDIR /home/graphscope
# Gremlin, Cypher
EXPOSE 8182 7687
ENTRYPOINT ["interactive-frontend"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["bash", "-c", "</dev/tcp/127.0.0.1/${GREMLIN_PORT:-8182} && </dev/tcp/127.0.0.1/${CYPHER_PORT:-7687}"]

FROM $REGISTRY/vineyard-runtime:v$VINEYARD_VERSION AS interactive-executor

COPY --link --chown=0:0 --from=engine /opt/graphscope/graphscope.libs /opt/graphscope/graphscope.libs
COPY --link --chown=0:0 --from=engine /opt/graphscope/graphscope.runtime/bin /opt/graphscope/graphscope.runtime/bin
COPY --link --chown=0:0 --from=engine /opt/graphscope/graphscope.runtime/conf /opt/graphscope/graphscope.runtime/conf
COPY --link --chown=0:0 --from=engine /opt/graphscope/graphscope.runtime/lib/*.so /opt/graphscope/graphscope.runtime/lib/
# The record of the wheel: the programs do not know their version.
ARG GRAPHSCOPE_VERSION
COPY --link --chown=0:0 --from=engine /opt/graphscope/graphscope-$GRAPHSCOPE_VERSION.dist-info \
     /opt/graphscope/graphscope-$GRAPHSCOPE_VERSION.dist-info
COPY --chmod=755 dockerfiles/interactive-executor.sh /usr/local/bin/interactive-executor
ENV GRAPHSCOPE_HOME=/opt/graphscope/graphscope.runtime \
    LD_LIBRARY_PATH=/opt/graphscope/graphscope.runtime/lib:/opt/graphscope/graphscope.libs
ENV PATH=$GRAPHSCOPE_HOME/bin:$PATH

LABEL org.opencontainers.image.title="interactive-executor" \
      org.opencontainers.image.description="Executor of the interactive engine of GraphScope" \
      org.opencontainers.image.version="$GRAPHSCOPE_VERSION" \
      org.opencontainers.image.source="https://github.com/alibaba/GraphScope" \
      org.opencontainers.image.licenses="Apache-2.0"

EXPOSE 1234
ENTRYPOINT ["interactive-executor"]
# The command is empty: the base's is for vineyardd.
CMD []
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["bash", "-c", "</dev/tcp/127.0.0.1/${RPC_PORT:-1234}"]
