# Cairn in a container: the README's `npm ci` and `npm start`.
#   docker build -t cairn .
#   docker run --stop-timeout 15 -p 127.0.0.1:4747:4747 -v cairn-data:/data cairn
# Cairn ends within ten seconds of `docker stop`, which waits no longer unless it is told so.
FROM node:24-slim

WORKDIR /opt/cairn
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY LICENSE README.md ./
COPY bin bin
COPY src src
COPY packaging/is-healthy.js packaging/

RUN install -d -o node -g node -m 700 /data
USER node
VOLUME /data
ENV NODE_ENV=production CAIRN_DATA=/data CAIRN_LISTEN=0.0.0.0:4747
# Memory that is no longer used goes back to the system (ARCHITECTURE.md, Threads and memory).
ENV MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072
EXPOSE 4747
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "packaging/is-healthy.js"]

# Node itself is process 1, so that SIGTERM reaches it and not npm.
CMD ["node", "--no-memory-protection-keys", "src/cli/main.js", "start"]
