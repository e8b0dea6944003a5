FROM debian:12-slim AS runtime
FROM ubuntu:latest
