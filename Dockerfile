# The executable in a small Debian. docs/install.md says how to run it: it watches the host, so it shares the host's network and processes.
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm run --silent binary && npm run --silent package -- deb

FROM debian:bookworm-slim
RUN --mount=type=bind,from=build,source=/src/build/release,target=/release \
  apt-get update && \
  apt-get install -y --no-install-recommends /release/*.deb && \
  rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["netmon-tui"]
