# One image: the program `patron`, its libraries and nothing else. The migrations are inside the program.
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
        gcc libc6-dev cmake ninja-build pkg-config \
        libmicrohttpd-dev libpq-dev libjansson-dev uuid-dev libsodium-dev zlib1g-dev libzstd-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cmake --preset release && cmake --build --preset release --target patron && strip build/release/patron

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends \
        libmicrohttpd12 libpq5 libjansson4 libuuid1 libsodium23 zlib1g libzstd1 ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --user-group --uid 10001 --no-create-home --shell /usr/sbin/nologin patron
COPY --from=build /src/build/release/patron /usr/local/bin/patron
COPY LICENSE /usr/share/doc/patron/LICENSE
USER patron
ENV PATRON_LISTEN=0.0.0.0:8080
EXPOSE 8080
# bash speaks enough HTTP to ask: a client program would be the largest thing in the image.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /readyz HTTP/1.1\\r\\nHost: patron\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r line <&3 && [[ $line == *' 200 '* ]]"]
ENTRYPOINT ["patron"]
CMD ["serve"]
