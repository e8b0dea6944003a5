# Everything that building GraphScope needs, except vineyard.
# No version of vineyard is written here, on purpose: a bump of vineyard leaves this image as it is.

ARG BASE_IMAGE=debian:12-slim
FROM $BASE_IMAGE

ENV LANG=C.UTF-8 PIP_DISABLE_PIP_VERSION_CHECK=1

RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ca-certificates cmake curl g++ git make maven ninja-build openjdk-17-jdk-headless \
      pkg-config protobuf-compiler python3-dev python3-venv unzip \
 && apt-get clean && rm -rf /var/lib/apt/lists/*

# One user for all images. 1001 is the id that GraphScope's charts and volumes use.
RUN useradd --create-home --uid 1001 graphscope \
 && install -d -o graphscope -g graphscope /opt/graphscope /opt/vineyard /var/log/graphscope

# pip obeys the constraints in every image that is built on this one.
COPY dockerfiles/constraints.txt /etc/graphscope/constraints.txt
ENV PIP_CONSTRAINT=/etc/graphscope/constraints.txt

LABEL org.opencontainers.image.title="graphscope-dev-base" \
      org.opencontainers.image.description="Toolchain for building GraphScope, without vineyard" \
      org.opencontainers.image.source="https://github.com/alibaba/GraphScope" \
      org.opencontainers.image.licenses="Apache-2.0"

USER 1001
WORKDIR /home/graphscope
CMD ["bash"]
