# FACTORY 0.215.0, with DOCKER, BUILD, COPIER, GIT, GITHUB_CLI, CURL
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

FROM node:24-bookworm-slim AS cli
LABEL worker-manager.managed=true
COPY ca.crt /ca.crt
RUN if [ -s /ca.crt ]; then export NODE_EXTRA_CA_CERTS=/ca.crt npm_config_cafile=/ca.crt; fi \
 && npm install --prefix /cli --no-audit --no-fund --no-update-notifier droid@0.215.0 \
 && install -D -m 0755 "$(readlink -f /cli/node_modules/.bin/droid)" /out/droid \
 && rm -rf /cli /root/.npm \
 && if [ "$(head -c 4 /out/droid | tail -c 3)" != ELF ]; then echo 'droid@0.215.0 has no native program for this machine.'; exit 1; fi

FROM node:24-bookworm-slim AS copier
LABEL worker-manager.managed=true
RUN apt-get update && apt-get install -y --no-install-recommends python3-venv git
COPY ca.crt /ca.crt
ARG PIP_INDEX_URL
ARG PIP_TRUSTED_HOST
RUN if [ -s /ca.crt ]; then export PIP_CERT=/ca.crt; fi \
 && python3 -m venv /opt/copier \
 && /opt/copier/bin/pip install --no-cache-dir --disable-pip-version-check copier==9.19.1

FROM common

COPY --from=cli /out/droid /usr/local/bin/droid

# DOCKER
RUN find /var/lib/apt/updated -mtime -1 2>/dev/null | grep -q . || { apt-get -o Acquire::GzipIndexes=true update && touch /var/lib/apt/updated; } \
 && apt-get install -y --no-install-recommends docker.io rootlesskit slirp4netns fuse-overlayfs uidmap iptables iproute2 libcap2-bin \
 && rm -rf /var/log/apt /var/log/dpkg.log
RUN chmod u-s /usr/bin/newuidmap /usr/bin/newgidmap \
 && setcap cap_setuid=ep /usr/bin/newuidmap && setcap cap_setgid=ep /usr/bin/newgidmap \
 && echo agent:100000:65536 > /etc/subuid && echo agent:100000:65536 > /etc/subgid \
 && install -d -o agent -g agent /home/agent/.local /home/agent/.local/share /home/agent/.local/share/docker \
 && install -d /worker/services \
 && printf '%s\n' 'set -eu' 'export XDG_RUNTIME_DIR="$HOME/.docker/run" PATH="/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"' 'mkdir -p -m 700 "$XDG_RUNTIME_DIR"' 'chgrp "$(id -g)" "$XDG_RUNTIME_DIR" && chmod g-s "$XDG_RUNTIME_DIR"' 'setsid sh /usr/share/docker.io/contrib/dockerd-rootless.sh >"$XDG_RUNTIME_DIR/log" 2>&1 </dev/null &' 'daemon=$!' 'docker context inspect own >/dev/null 2>&1 || docker context create own --docker "host=unix://$XDG_RUNTIME_DIR/docker.sock" >/dev/null 2>&1' 'docker context use own >/dev/null 2>&1' 'tries=150' 'until docker version >/dev/null 2>&1; do' '  tries=$((tries - 1))' '  [ $tries -gt 0 ] && kill -0 $daemon 2>/dev/null || { echo "The Docker daemon of the worker does not start:" >&2; tail -n 20 "$XDG_RUNTIME_DIR/log" >&2; exit 1; }' '  sleep 0.2' 'done' > /worker/services/docker.sh

# BUILD
RUN find /var/lib/apt/updated -mtime -1 2>/dev/null | grep -q . || { apt-get -o Acquire::GzipIndexes=true update && touch /var/lib/apt/updated; } \
 && apt-get install -y --no-install-recommends build-essential pkg-config python3-dev \
 && rm -rf /var/log/apt /var/log/dpkg.log

# COPIER
RUN find /var/lib/apt/updated -mtime -1 2>/dev/null | grep -q . || { apt-get -o Acquire::GzipIndexes=true update && touch /var/lib/apt/updated; } \
 && apt-get install -y --no-install-recommends git \
 && rm -rf /var/log/apt /var/log/dpkg.log
COPY --from=copier /opt/copier /opt/copier
RUN ln -s /opt/copier/bin/copier /usr/local/bin/copier

# GIT
RUN find /var/lib/apt/updated -mtime -1 2>/dev/null | grep -q . || { apt-get -o Acquire::GzipIndexes=true update && touch /var/lib/apt/updated; } \
 && apt-get install -y --no-install-recommends git openssh-client \
 && rm -rf /var/log/apt /var/log/dpkg.log

# GITHUB_CLI
RUN find /var/lib/apt/updated -mtime -1 2>/dev/null | grep -q . || { apt-get -o Acquire::GzipIndexes=true update && touch /var/lib/apt/updated; } \
 && apt-get install -y --no-install-recommends gh git \
 && rm -rf /var/log/apt /var/log/dpkg.log

# CURL: in every image

# The wrapper
COPY --from=wrapper /worker/ /worker/
