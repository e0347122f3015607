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
  securityOpt: ['seccomp=unconfined'],
  systemPaths: true,
  devices: ['/dev/net/tun'],
  volumes: [DATA],
  newPrivileges: true,
};

/**
 * Run before the agent, as its user: starts its own daemon in the background, points the `docker` program at it, and
 * ends when it answers.
 */
const SERVICE = [
  'set -eu',
  'export XDG_RUNTIME_DIR="$HOME/.docker/run" PATH="/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"',
  'mkdir -p -m 700 "$XDG_RUNTIME_DIR"',
  // The home hands its group on, which is not of the user namespace: the daemon could not own its socket.
  'chgrp "$(id -g)" "$XDG_RUNTIME_DIR" && chmod g-s "$XDG_RUNTIME_DIR"',
  'setsid sh /usr/share/docker.io/contrib/dockerd-rootless.sh >"$XDG_RUNTIME_DIR/log" 2>&1 </dev/null &',
  'daemon=$!',
  'docker context inspect own >/dev/null 2>&1 || docker context create own --docker "host=unix://$XDG_RUNTIME_DIR/docker.sock" >/dev/null 2>&1',
  'docker context use own >/dev/null 2>&1',
  'tries=150',
  'until docker version >/dev/null 2>&1; do',
  '  tries=$((tries - 1))',
  '  [ $tries -gt 0 ] && kill -0 $daemon 2>/dev/null || { echo "The Docker daemon of the worker does not start:" >&2; tail -n 20 "$XDG_RUNTIME_DIR/log" >&2; exit 1; }',
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
      ` && install -d -o agent -g agent ${parents(DATA).join(' ')}`,
      ' && install -d /worker/services',
      ` && printf '%s\\n' ${SERVICE.map(quote).join(' ')} > /worker/services/docker.sh`,
    ].join(' \\\n'),
  ],
  proof: [
    'sh',
    '-c',
    // An image of one static program, for there may be no registry.
    'tar -C / -c worker/confine | docker import - tiny && docker run --rm tiny /worker/confine --probe',
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
