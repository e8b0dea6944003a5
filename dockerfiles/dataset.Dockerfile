# Sample graphs, as CSV files under /dataset, served over HTTP or copied from there.
#
# The small ones are written from released packages. The large ones of GraphScope's own tests are a repository
# without releases, so they come in when they are asked for, under /dataset/gstest:
#   --build-context gstest=https://github.com/GraphScope/gstest.git#<commit>

ARG REGISTRY=registry.cn-hongkong.aliyuncs.com/graphscope
ARG BASE_IMAGE=debian:12-slim
ARG VINEYARD_VERSION=0.24.1
ARG GRAPHSCOPE_VERSION=0.28.0

# Empty: a stage that a named context takes the place of.
FROM scratch AS gstest

FROM $REGISTRY/graphscope-dev:v$VINEYARD_VERSION AS samples
COPY dockerfiles/dataset.py /home/graphscope/dataset.py
ARG GRAPHSCOPE_VERSION
# The release of NetworkX is the one that the client asks for.
RUN --mount=type=cache,target=/home/graphscope/.cache/pip,uid=1001 \
    pip install --no-deps --target /home/graphscope/packages networkx==2.8.0 \
 && PYTHONPATH=/home/graphscope/packages python3 dataset.py /home/graphscope/dataset "$GRAPHSCOPE_VERSION"

FROM $BASE_IMAGE AS dataset
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends busybox \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1001 graphscope

COPY --link --chown=0:0 --from=samples /home/graphscope/dataset /dataset
COPY --link --chown=0:0 --from=gstest / /dataset/gstest

ARG GRAPHSCOPE_VERSION
LABEL org.opencontainers.image.title="dataset" \
      org.opencontainers.image.description="Sample graphs of GraphScope" \
      org.opencontainers.image.version="$GRAPHSCOPE_VERSION" \
      org.opencontainers.image.source="https://github.com/alibaba/GraphScope" \
      org.opencontainers.image.licenses="Apache-2.0"

USER 1001
WORKDIR /dataset
EXPOSE 8080
ENTRYPOINT ["busybox", "httpd", "-f", "-p", "8080", "-h", "/dataset"]
HEALTHCHECK --interval=10s --timeout=5s \
  CMD ["busybox", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:8080/index.txt"]
