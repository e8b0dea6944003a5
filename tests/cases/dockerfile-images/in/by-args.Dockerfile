ARG REGISTRY=registry.example.com
ARG BUILDER_VERSION=v0.24.1
ARG ARCH=amd64
ARG IMAGE=graphscope/graphscope-dev:v0.24.1
ARG SUFFIX=-$ARCH
ARG NOTHING=scratch
FROM $REGISTRY/graphscope/graphscope-dev:$BUILDER_VERSION-$ARCH AS one
FROM ${REGISTRY}/graphscope/graphscope-dev:${BUILDER_VERSION}${SUFFIX} AS two
FROM $IMAGE AS three
FROM ${UNSET:-graphscope/graphscope-dev:v0.24.1} AS four
FROM graphscope/graphscope-dev:${ALSO_UNSET:-v0.24.1} AS five
FROM graphscope/graphscope-dev:$UNKNOWN AS six
FROM $NOTHING
