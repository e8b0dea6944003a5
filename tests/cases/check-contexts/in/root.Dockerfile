FROM debian:12-slim AS early
COPY early-is-not-built /
FROM debian:12-slim AS builder
ARG TARGETARCH
ARG NAME=main
COPY src/${NAME}.rs src/${NAME}.cc /src/
COPY bin/$TARGETARCH/tool /usr/bin/
COPY dist/*.whl src/*.rs /wheels/
ADD https://example.com/archive.tar.gz git@github.com:v6d-io/v6d.git#main notes.txt /
COPY tool/empty tool/secret.txt docs /tool/
COPY --from=source main.rs other.rs /
COPY --from=lost anything /
RUN --mount=type=bind,source=src,target=/s --mount=type=bind,source=srcs,target=/t make
COPY <<one.txt /two.txt
not a source
one.txt
ONBUILD COPY whatever /
FROM scratch
COPY --from=builder /not/here /
COPY --from=registry.example.com/other/image:1.2 /nor/here /
