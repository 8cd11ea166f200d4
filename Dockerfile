# The program alone, for a user without privileges. To build and use it, see docs/src/how-to/install.md.
FROM rust:1.95-slim-trixie AS build
WORKDIR /source
COPY . .
# Without Git in the image, the program learns its commit from these.
ARG XKS_CONSOLE_COMMIT=""
ARG SOURCE_DATE_EPOCH=""
RUN cargo build --locked --release --bin xks-console

# glibc and CA certificates: no shell, no package manager.
FROM gcr.io/distroless/cc-debian13:nonroot
COPY --from=build /source/target/release/xks-console /usr/local/bin/xks-console
COPY --from=build /source/LICENSE /usr/share/doc/xks-console/LICENSE
# Where a directory with tapes is mounted.
WORKDIR /work
ENTRYPOINT ["xks-console"]
