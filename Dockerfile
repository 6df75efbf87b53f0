# The images of Ballast, from one file:
#   api     api, worker, migrate and the command line `ballast`: four programs, one set of bytes
#   web     the pages
#   inbox   a laptop's mail; never part of a deployment
#   caddy   the official one with the Caddyfile inside, run by a user of its own
#   pooler  PgBouncer, for many replicas of the API on few sessions of Postgres
#   backup  what backups and restores need beside Postgres' own programs: pgBackRest and `ballast`
#   sbom    not to run: what the others are made of (docker build --target sbom --output .)
#
# Everything but the bases, and Debian's packages in backup and pooler, is pinned by the lockfile. An installation pins the
# bases too, by their digests: NODE_IMAGE=node:24-bookworm-slim@sha256:… in .env (docs/docker-scaling.md).
ARG NODE_IMAGE=node:24-bookworm-slim
ARG CADDY_IMAGE=caddy:2
ARG POSTGRES_IMAGE=postgres:18

FROM ${NODE_IMAGE} AS base
WORKDIR /app

# The manifests alone, so that packages are installed again when they change, and not with every edit. Nobody has to
# list them: this stage runs often and costs nothing, and the layers that copy from it only look at its content.
FROM base AS manifests
COPY . .
RUN mkdir /manifests \
 && cp -r --parents $(find . -name package.json) patches pnpm-lock.yaml pnpm-workspace.yaml .pnpmfile.mjs /manifests

FROM base AS tools
ENV CI=true NEXT_TELEMETRY_DISABLED=1
COPY --from=manifests /manifests/package.json ./
RUN npm install --global --no-fund --no-audit "$(node -p 'require("./package.json").packageManager')"
COPY --from=manifests /manifests ./

# No package runs a script of its own here: none that ends in an image needs one.
FROM tools AS packages
RUN --mount=type=cache,id=pnpm-store,target=/pnpm-store \
    pnpm install --frozen-lockfile --ignore-scripts --store-dir /pnpm-store

# Refuses to build what app.config.ts does not say. The builds take the id from here, and so none comes before it.
FROM packages AS checked
COPY . .
RUN node scripts/generate-active-modules.ts --check && node scripts/image/build-id.ts > /build-id

FROM packages AS source
COPY app.config.ts tsconfig.base.json ./
COPY packages packages
COPY modules modules

FROM source AS build-api
COPY cli cli
COPY apps/api apps/api
COPY --from=checked /build-id /build-id
# The bundles are not minified: what a stack trace names can be read in them, and the maps would double the image.
RUN cd apps/api && node ../../node_modules/rolldown/bin/cli.mjs -c rolldown.config.ts \
 && chmod 755 dist/ballast.js && find dist -name '*.map' -delete

FROM source AS build-web
COPY apps/api/src apps/api/src
COPY apps/web apps/web
COPY --from=checked /build-id /build-id
ARG BALLAST_BUILD_ID=
RUN BALLAST_BUILD_ID="${BALLAST_BUILD_ID:-$(cat /build-id)}" node apps/web/build.mjs
# Maps of the server's code would tell all of it to whoever can read a file.
RUN find apps/web/.next/standalone -name '*.map' -delete

# What an image runs on: Node and the system's libraries. Nothing can be installed into it, by us or by anyone else.
FROM base AS runtime
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx /usr/local/bin/corepack \
      /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn* /app/*
ENV NODE_ENV=production
ENTRYPOINT []

FROM runtime AS api
# The Compose file's first step writes into /secrets, as this image's user.
RUN ln -s /app/apps/api/dist/ballast.js /usr/local/bin/ballast && install -d -o node -g node /secrets
COPY --from=build-api /app/apps/api/dist apps/api/dist
# Only a bundle's own `type` says that its files are modules.
COPY --from=build-api /app/apps/api/package.json apps/api/package.json
ENV API_HOST=0.0.0.0 WORKER_HOST=0.0.0.0 METRICS_HOST=0.0.0.0
USER node
EXPOSE 3001 3002 3003
CMD ["node", "apps/api/dist/main.js"]

FROM runtime AS web
COPY --from=build-web /app/apps/web/.next/standalone ./
COPY --from=build-web /app/apps/api/src/generated/routes.snapshot.json apps/web/
# Docker sets HOSTNAME to the container's name, which is only one of its addresses.
# Longer than a proxy keeps a connection, so that none is closed on which a request is on its way.
ENV HOSTNAME=0.0.0.0 PORT=3000 KEEP_ALIVE_TIMEOUT=75000
USER node
EXPOSE 3000
CMD ["node", "apps/web/serve.mjs"]

FROM tools AS inbox-packages
RUN --mount=type=cache,id=pnpm-store,target=/pnpm-store \
    pnpm install --frozen-lockfile --ignore-scripts --store-dir /pnpm-store --prod --filter @ballast/inbox

FROM runtime AS inbox
COPY --from=inbox-packages /app/node_modules node_modules
COPY --from=inbox-packages /app/apps/inbox apps/inbox
COPY apps/inbox apps/inbox
USER node
EXPOSE 1025 1080
CMD ["node", "apps/inbox/src/main.ts", "1025", "1080", "/tmp/mail", "0.0.0.0"]

# Postgres' own image, since a drill starts what it restored. The official one knows the repository of Postgres' makers,
# whose pgBackRest knows their newest version.
FROM ${POSTGRES_IMAGE} AS backup
RUN apt-get update \
 && apt-get install -y --no-install-recommends pgbackrest libstdc++6 \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o postgres -g postgres -m 0700 /var/lib/pgbackrest \
 && ln -s /app/apps/api/dist/ballast.js /usr/local/bin/ballast
COPY --from=base /usr/local/bin/node /usr/local/bin/node
COPY --from=build-api /app/apps/api/dist /app/apps/api/dist
COPY --from=build-api /app/apps/api/package.json /app/apps/api/package.json
ENV NODE_ENV=production
WORKDIR /app
USER postgres
ENTRYPOINT []
CMD ["ballast", "backup", "serve"]

# The bases that the others stand on know only a PgBouncer that prepares no statements in transaction mode (before 1.21).
FROM ${POSTGRES_IMAGE} AS pooler
RUN apt-get update \
 && apt-get install -y --no-install-recommends pgbouncer \
 && rm -rf /var/lib/apt/lists/* \
 && pgbouncer --version | grep -E '^PgBouncer (1\.(2[1-9]|[3-9][0-9])|[2-9])'
COPY deploy/pooler/start.sh /usr/local/bin/start-pooler
USER postgres
EXPOSE 6432
ENTRYPOINT []
# It ends when the transactions under way have ended; told SIGTERM, it would wait for clients that stay.
STOPSIGNAL SIGINT
CMD ["start-pooler"]

# Certificates are written as the user that the volume's folder belongs to.
FROM ${CADDY_IMAGE} AS caddy
COPY deploy/caddy /etc/caddy
RUN mkdir -p /data/caddy /config/caddy && chown -R 1000:1000 /data /config
USER 1000:1000

FROM packages AS list-packages
RUN for image in api web; do pnpm --filter @ballast/$image sbom --prod --lockfile-only \
      --sbom-format cyclonedx --sbom-type application --out /sbom/ballast-$image.cdx.json; done

FROM scratch AS sbom
COPY --from=list-packages /sbom /
