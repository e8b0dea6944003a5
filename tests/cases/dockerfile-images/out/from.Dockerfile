# syntax=registry.example.com/graphscope/graphscope-dev:v0.24.2
FROM graphscope/graphscope-dev:v0.24.2
FROM --platform=$BUILDPLATFORM localhost:5000/graphscope/graphscope-dev:v0.24.2 AS Builder
from registry.example.com:8443/graphscope/graphscope-dev as untagged
FROM registry.example.com/graphscope/graphscope-dev:wheel-v0.24.2-arm64 AS wheel
FROM graphscope/graphscope-dev:latest
FROM builder
FROM scratch
FROM other/graphscope/graphscope-dev:v0.24.1
FROM graphscope/graphscope-dev-base:v0.24.1
