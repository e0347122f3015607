# TASK
# Made by worker-manager. `docker build .` in this folder makes the same image.

FROM node:24-bookworm-slim AS common
USER root
RUN find /var/lib/apt/updated -mtime -1 2>/dev/null | grep -q . || { apt-get -o Acquire::GzipIndexes=true update && touch /var/lib/apt/updated; } \
 && apt-get install -y --no-install-recommends ca-certificates curl procps python3 python3-pip ripgrep tini \
 && rm -rf /var/log/apt /var/log/dpkg.log \
 && groupadd --gid 20000 cmd-node \
 && groupadd --gid 10001 wrapper && groupadd --gid 10002 agent \
 && useradd --uid 10001 --gid wrapper --groups cmd-node --home-dir /worker --no-create-home --shell /usr/sbin/nologin wrapper \
 && useradd --uid 10002 --gid agent --home-dir /home/agent --no-create-home --shell /bin/bash agent \
 && install -d -o agent -g wrapper -m 2775 /home/agent /workspace && install -d /worker \
 && node="$(readlink -f "$(command -v node)")" && chgrp cmd-node "$node" && chmod 0750 "$node" \
 && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED
ENV WORKSPACE_PATH=/workspace
WORKDIR /workspace
ENTRYPOINT ["/worker/entry"]

FROM common AS confine
LABEL worker-manager.managed=true
RUN find /var/lib/apt/updated -mtime -1 2>/dev/null | grep -q . || { apt-get -o Acquire::GzipIndexes=true update && touch /var/lib/apt/updated; } \
 && apt-get install -y --no-install-recommends gcc libc6-dev \
 && rm -rf /var/log/apt /var/log/dpkg.log
COPY confine.c /src/confine.c
RUN gcc -O2 -static -s -Wall -Wextra -Werror -o /src/confine /src/confine.c

FROM common AS wrapper
LABEL worker-manager.managed=true
COPY --from=confine /src/confine /worker/confine
COPY entry gate health /worker/
COPY wrapper/*.* /worker/
COPY wrapper/runner/*.* /worker/runner/
RUN { NODE_COMPILE_CACHE=/tmp/cache setpriv --reuid 10001 --regid 10001 --groups 20000 node /worker/wrapper.mjs 2>/tmp/said; [ $? = 78 ] || { cat /tmp/said; exit 1; }; } \
 && { set -- /worker/*-*.mjs; [ ! -e "$1" ] || NODE_COMPILE_CACHE=/tmp/cache setpriv --reuid 10001 --regid 10001 --groups 20000 node $(printf ' --import %s' "$@") -e 0; } \
 && chmod -R a+rX /tmp/cache && chown -R root:root /tmp/cache && mv /tmp/cache /worker/cache && rm /tmp/said

FROM common

# The wrapper
COPY --from=wrapper /worker/ /worker/

ENV WORKER_PORT=5000 WORKER_HOST=0.0.0.0
EXPOSE 5000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["/worker/health"]
