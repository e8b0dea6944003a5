# graphscope-dev-base plus vineyard: where the components are built.

ARG REGISTRY=registry.cn-hongkong.aliyuncs.com/graphscope
ARG VINEYARD_VERSION=0.24.1

FROM $REGISTRY/vineyard-dev:v$VINEYARD_VERSION AS vineyard

FROM $REGISTRY/graphscope-dev-base:v$VINEYARD_VERSION

COPY --link --chown=0:0 --from=vineyard /opt/vineyard /opt/vineyard
ENV PATH=/opt/vineyard/bin:$PATH

ARG VINEYARD_VERSION
LABEL org.opencontainers.image.title="graphscope-dev" \
      org.opencontainers.image.description="Toolchain for building GraphScope, with vineyard" \
      org.opencontainers.image.version="$VINEYARD_VERSION"
