# Build: the toolchain and a C compiler, nothing else.
FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin tinvia && cp target/release/tinvia /usr/local/bin/tinvia

# Run: one file, one user without rights, one folder for data and keys.
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin tinvia \
    && install -d -o tinvia -g tinvia -m 0700 /data
COPY --from=build /usr/local/bin/tinvia /usr/local/bin/tinvia
USER tinvia
ENV TINVIA_LISTEN=0.0.0.0:8080 TINVIA_DATA_DIR=/data
VOLUME /data
EXPOSE 8080
# The image has no HTTP client; bash speaks enough of it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/8080; printf 'GET /readyz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3; read -r _ status _ <&3; [ \"$status\" = 200 ]"]
ENTRYPOINT ["tinvia"]
CMD ["serve"]
