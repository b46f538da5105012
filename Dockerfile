# Earshot in an image with nothing else: no shell, no libraries, no root.
#
#   docker build --build-arg VERSION=1.0.0 --build-arg COMMIT=$(git rev-parse HEAD) --tag earshot .
#   docker run --publish 127.0.0.1:8080:8080 --volume earshot:/data earshot
#
# The same sources make the same program, byte for byte, wherever they lie.

FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
ARG COMMIT=
RUN CGO_ENABLED=1 go build -trimpath -buildvcs=false -tags osusergo,netgo,sqlite_omit_load_extension \
    -ldflags "-s -w -buildid= -linkmode external -extldflags '-static -Wl,--build-id=none' -X main.version=$VERSION -X main.commit=$COMMIT" \
    -o /out/root/earshot .
RUN install -d -m 1777 /out/root/tmp && install -d -m 0700 /out/owned/data && \
    install -D -m 0644 /etc/ssl/certs/ca-certificates.crt /out/root/etc/ssl/certs/ca-certificates.crt

FROM scratch
ARG VERSION=dev
ARG COMMIT=
LABEL org.opencontainers.image.title="Earshot" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT"
COPY --from=build /out/root/ /
COPY --from=build --chown=65532:65532 /out/owned/ /
ENV EARSHOT_DATA=/data EARSHOT_ADDR=:8080
USER 65532:65532
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/earshot", "health"]
ENTRYPOINT ["/earshot"]
