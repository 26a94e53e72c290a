# The program in a container. Results go to /data, the folder from which it runs:
#
#     docker build -t neighbourhood .
#     docker run --rm -v "$PWD:/data" neighbourhood https://publisher.example/some-story
#
# With Chromium, for pages that need JavaScript (--render playwright):
#
#     docker build --target chromium -t neighbourhood:chromium .
#
# Chromium runs in its sandbox, which needs user namespaces. Docker forbids them by default: give
# docker run --security-opt seccomp=unconfined, or turn the sandbox off with
# -s PLAYWRIGHT_LAUNCH_OPTIONS='{"chromium_sandbox": false}'.
#
# Parquet files need 170 MB more: docker build --build-arg EXTRAS=near-copies,parquet …
# compose.yaml builds it with the driver for PostgreSQL.
#
# Both run as the user "crawler" (uid 10001), which must be able to write to the mounted folder;
# or run as yourself: docker run --user "$(id -u):$(id -g)" …

FROM debian:trixie-slim AS base
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home crawler \
    && install -d -o crawler -g crawler /data
# The cache has a folder in which any user may write.
ENV PATH=/opt/neighbourhood/bin:$PATH \
    XDG_CACHE_HOME=/tmp/cache
WORKDIR /data
VOLUME /data
USER 10001:10001
ENTRYPOINT ["neighbourhood"]
CMD ["--help"]

FROM debian:trixie-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m venv /opt/neighbourhood
WORKDIR /source
COPY . .
ARG EXTRAS=near-copies
RUN /opt/neighbourhood/bin/pip install --no-cache-dir ".[$EXTRAS]"

FROM build AS build-chromium
RUN /opt/neighbourhood/bin/pip install --no-cache-dir ".[playwright]"

FROM base AS chromium
USER 0
RUN apt-get update \
    && apt-get install -y --no-install-recommends chromium fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build-chromium /opt/neighbourhood /opt/neighbourhood
USER 10001:10001

# The last stage is the default target.
FROM base AS slim
COPY --from=build /opt/neighbourhood /opt/neighbourhood
