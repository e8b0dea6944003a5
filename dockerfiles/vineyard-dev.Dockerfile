# vineyard, with a C++ compiler: base of the analytical engine, which compiles applications while it runs.
# The one place where vineyard is installed; every other image has it from here.

ARG BASE_IMAGE=debian:12-slim
FROM $BASE_IMAGE

ENV LANG=C.UTF-8 PIP_DISABLE_PIP_VERSION_CHECK=1

RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates cmake g++ make python3 python3-venv \
 && apt-get clean && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --uid 1001 graphscope \
 && install -d -o graphscope -g graphscope /opt/graphscope /var/log/graphscope

COPY dockerfiles/constraints.txt /etc/graphscope/constraints.txt
ENV PIP_CONSTRAINT=/etc/graphscope/constraints.txt

# vineyard-bdist holds vineyardd, but puts no command of that name on the path.
# The tests that packages ship are a fifth of their size.
ARG VINEYARD_VERSION=0.24.1
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m venv /opt/vineyard \
 && /opt/vineyard/bin/pip install \
      "vineyard==$VINEYARD_VERSION" "vineyard-bdist==$VINEYARD_VERSION" "vineyard-io==$VINEYARD_VERSION" \
 && ln -s ../lib/python3.11/site-packages/vineyard/bdist/vineyardd /opt/vineyard/bin/vineyardd \
 && find /opt/vineyard -type d -name tests -prune -exec rm -rf {} +

ENV PATH=/opt/vineyard/bin:$PATH

LABEL org.opencontainers.image.title="vineyard-dev" \
      org.opencontainers.image.description="vineyard and what compiling against it needs" \
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
