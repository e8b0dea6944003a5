FROM debian:12-slim
COPY dist/app /app
