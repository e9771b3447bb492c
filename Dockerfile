# The image that deploy/dev/images.sh makes without Docker, for people who have it:
#   docker build -t assay.dev/assay:dev .
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o /out/ ./cmd/assay ./cmd/assay-exec

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/assay /out/assay-exec /
USER 65532:65532
ENTRYPOINT ["/assay"]
