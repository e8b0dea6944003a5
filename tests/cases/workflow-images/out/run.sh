#!/bin/sh
docker pull hub.example.com/graphscope/graphscope-dev:wheel-v0.24.2
docker pull hub.example.com/graphscope/graphscope-dev:wheel-v0.24.2-amd64
docker pull "graphscope/graphscope-dev:${TAG:-v0.24.2}"
docker push $REGISTRY/graphscope/graphscope-dev:wheel-${V6D_VERSION}-amd64
# graphscope/graphscope-dev:<v6d_version>-amd64 and graphscope/graphscope-dev:wheel-<v6d_version>-amd64
