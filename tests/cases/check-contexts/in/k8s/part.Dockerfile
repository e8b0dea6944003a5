FROM debian:12-slim
COPY start.sh src/main.rs /
