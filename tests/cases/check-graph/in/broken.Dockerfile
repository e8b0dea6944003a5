FROM debian:12-slim
COPPY a b
