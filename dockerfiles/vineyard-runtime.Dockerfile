# vineyard without a compiler: base of the interactive executor and of the learning engine.

ARG REGISTRY=registry.cn-hongkong.aliyuncs.com/graphscope
ARG BASE_IMAGE=debian:12-slim
ARG VINEYARD_VERSION=0.24.1

FROM $REGISTRY/vineyard-dev:v$VINEYARD_VERSION AS vineyard

FROM $BASE_IMAGE

ENV LANG=C.UTF-8

RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates python3 \
 && apt-get clean && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --uid 1001 graphscope \
 && install -d -o graphscope -g graphscope /var/log/graphscope

COPY --link --chown=0:0 --from=vineyard /opt/vineyard /opt/vineyard
ENV PATH=/opt/vineyard/bin:$PATH

ARG VINEYARD_VERSION
LABEL org.opencontainers.image.title="vineyard-runtime" \
      org.opencontainers.image.description="vineyard" \
      org.opencontainers.image.version="$VINEYARD_VERSION" \
      org.opencontainers.image.source="https://github.com/v6d-io/v6d" \
      org.opencontainers.image.licenses="Apache-2.0"

USER 1001
WORKDIR /home/graphscope
# The metadata stay in the process: without etcd beside it, one server is a whole cluster.
ENTRYPOINT ["vineyardd"]
CMD ["--meta=local", "--socket=/tmp/vineyard.sock"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s \
  CMD ["python3", "-c", "import vineyard; vineyard.connect('/tmp/vineyard.sock')"]
