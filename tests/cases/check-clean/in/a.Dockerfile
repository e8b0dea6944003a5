ARG VINEYARD_VERSION=latest
FROM debian:12-slim
