ARG V=v0.24.2
FROM graphscope/graphscope-dev:$V AS global
FROM debian:12-slim AS staged
ARG V=v0.24.2
COPY --from=graphscope/graphscope-dev:$V /a /a
FROM debian:12-slim AS inherited
ARG V
COPY --from=graphscope/graphscope-dev:$V /a /a
FROM debian:12-slim AS undeclared
COPY --from=graphscope/graphscope-dev:$V /a /a
FROM debian:12-slim AS twice
ARG V=v0.22.0
ARG V=v0.24.2
COPY --from=graphscope/graphscope-dev:$V /a /a
