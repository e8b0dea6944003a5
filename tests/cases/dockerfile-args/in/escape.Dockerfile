# syntax=docker/dockerfile:1.7
# escape=`
ARG A=1 `
    # 0.24.1

    "VINEYARD_VERSION=0.24.1" B=2
from debian:12-slim as x
arg VINEYARD_VERSION=0.23.0