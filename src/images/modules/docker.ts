import type { HostNeeds, Module } from './module.ts';

/** Where the daemon of the agent keeps its images. */
const DATA = '/home/agent/.local/share/docker';

/**
 * rootlesskit makes a user namespace, and sets its id maps through newuidmap and newgidmap; slirp4netns gives it a
 * network through /dev/net/tun; nested containers mount a /proc of their own, which masked system paths forbid.
 * https://docs.docker.com/engine/security/rootless/
 */
const host: HostNeeds = {
  capAdd: ['SETUID', 'SETGID'],
  securityOpt: ['seccomp=unconfined', 'systempaths=unconfined'],
  devices: ['/dev/net/tun'],
  volumes: [DATA],
  newPrivileges: true,
};

/** Starts the agent's own daemon in the background, and ends when it answers. Asked twice, it starts one. */
const START = [
  '#!/bin/sh',
  '[ "$XDG_RUNTIME_DIR" ] || XDG_RUNTIME_DIR="/tmp/docker-$(id -u)"',
  'export XDG_RUNTIME_DIR PATH="/usr/sbin:/sbin:$PATH"',
  'export DOCKER_HOST="unix://$XDG_RUNTIME_DIR/docker.sock"',
  'mkdir -p -m 700 "$XDG_RUNTIME_DIR"',
  'docker version >/dev/null 2>&1 && exit 0',
  'setsid dockerd-rootless >"$XDG_RUNTIME_DIR/log" 2>&1 </dev/null &',
  'tries=150',
  'until docker version >/dev/null 2>&1; do',
  '  tries=$((tries - 1))',
  '  [ $tries -gt 0 ] || { echo "The Docker daemon of the worker does not start:" >&2; tail -n 20 "$XDG_RUNTIME_DIR/log" >&2; exit 1; }',
  '  sleep 0.2',
  'done',
];

/** A Docker daemon inside the worker, without root: the user's own, never the host's. */
export const docker: Module = {
  name: 'DOCKER',
  debian: [
    'docker.io',
    'rootlesskit',
    'slirp4netns',
    'fuse-overlayfs',
    'uidmap',
    'iptables',
    'iproute2',
    'libcap2-bin',
  ],
  lines: [
    [
      // A container may not run setuid programs; capabilities of the two files are enough for the maps.
      'RUN chmod u-s /usr/bin/newuidmap /usr/bin/newgidmap',
      ' && setcap cap_setuid=ep /usr/bin/newuidmap && setcap cap_setgid=ep /usr/bin/newgidmap',
      ' && echo agent:100000:65536 > /etc/subuid && echo agent:100000:65536 > /etc/subgid',
      ' && ln -s /usr/share/docker.io/contrib/dockerd-rootless.sh /usr/local/bin/dockerd-rootless',
      ` && printf '%s\\n' ${START.map(quote).join(' ')} > /usr/local/bin/start-docker`,
      ' && chmod 0755 /usr/local/bin/start-docker',
      ` && install -d -o agent -g agent ${parents(DATA).join(' ')}`,
    ].join(' \\\n'),
  ],
  proof: [
    'sh',
    '-c',
    // An image of one static program, for there may be no registry.
    'start-docker && export DOCKER_HOST=unix:///tmp/docker-$(id -u)/docker.sock && tar -C / -c worker/confine | docker import - tiny && docker run --rm tiny /worker/confine --probe',
  ],
  host,
};

function quote(line: string): string {
  return `'${line.replaceAll("'", `'\\''`)}'`;
}

/** `/home/agent/a/b` → the folders below the home, outermost first. */
function parents(path: string): string[] {
  const parts = path.replace('/home/agent/', '').split('/');
  return parts.map((_part, index) => `/home/agent/${parts.slice(0, index + 1).join('/')}`);
}
