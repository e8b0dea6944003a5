FROM registry.example.com/graphscope/dev:0.24.2 AS one
FROM registry.example.com/graphscope/dev:0.23.0 AS two
FROM registry.example.com/graphscope/dev AS three
FROM registry.example.com/graphscope/dev@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef AS four
FROM registry.example.com/graphscope/late:0.24.2 AS five
FROM scratch
COPY --from=one /a /
COPY --from=two /a /
COPY --from=three /a /
COPY --from=four /a /
COPY --from=five /a /
