# The coordinator: what clients connect to, and what starts the engines.

ARG REGISTRY=registry.cn-hongkong.aliyuncs.com/graphscope
ARG BASE_IMAGE=debian:12-slim
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

FROM $BASE_IMAGE AS coordinator
ENV LANG=C.UTF-8
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates python3 \
 && apt-get clean && rm -rf /var/lib/apt/lists/*
RUN useradd --create-home --uid 1001 graphscope \
 && install -d -o graphscope -g graphscope /var/log/graphscope

COPY --link --chown=0:0 --from=python /opt/vineyard /opt/vineyard
COPY --link --chown=0:0 --from=python /opt/graphscope /opt/graphscope
COPY dockerfiles/coordinator.yaml /etc/graphscope/coordinator.yaml
ENV PATH=/opt/graphscope/bin:/opt/vineyard/bin:$PATH

ARG GRAPHSCOPE_VERSION
LABEL org.opencontainers.image.title="coordinator" \
      org.opencontainers.image.description="Coordinator of GraphScope" \
      org.opencontainers.image.version="$GRAPHSCOPE_VERSION" \
      org.opencontainers.image.source="https://github.com/alibaba/GraphScope" \
      org.opencontainers.image.licenses="Apache-2.0"

USER 1001
WORKDIR /home/graphscope
# gRPC for clients, and the HTTP service
EXPOSE 63800 8080
ENTRYPOINT ["python3", "-m", "gscoordinator"]
CMD ["--config-file", "/etc/graphscope/coordinator.yaml"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
  CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/api/v1/deployment/status', timeout=4)"]
