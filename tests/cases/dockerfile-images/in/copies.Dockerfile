FROM debian:12-slim AS graphscope
FROM graphscope
COPY --from=0 /a /a
COPY --from=graphscope /a /b
COPY --chown=1:1 --from=graphscope/graphscope-dev:v0.24.1 --chmod=755 --link /a /b
COPY --link --exclude=*.md --from=registry.example.com/graphscope/graphscope-dev:v0.24.1-amd64 /a /b
RUN --mount=type=cache,target=/c --mount=type=bind,from=graphscope/graphscope-dev:v0.24.1,source=/a,target=/m \
    --mount=from=graphscope/graphscope-dev:v0.23.0,target=/n true
RUN <<EOF cat
FROM graphscope/graphscope-dev:v0.24.1
COPY --from=graphscope/graphscope-dev:v0.24.1 /a /b
EOF
