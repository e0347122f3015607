/** One way around `allowed_commands`, or into what belongs to the wrapper. docs/security.md lists them by name. */
export interface Escape {
  name: string;
  /** What the agent's shell is given. */
  script: string;
  /** In the output only if the way is open. */
  open: RegExp;
  /** In the output if it is closed. */
  closed: RegExp;
  /** The way is closed without `allowed_commands` too, because it leads to the wrapper. */
  always?: true;
}

const DENIED = /Permission denied|Operation not permitted|cannot execute/;
const RUNS = /ESCAPED/;
/** Reads a file, and so proves that it ran without any network. */
const CURL = 'curl -s file:///tmp/mark';
const LOADER =
  '$(echo /lib64/ld-linux-*.so.* /lib/ld-linux-*.so.* | { read -r a b; [ -e "$a" ] && echo "$a" || echo "$b"; })';

/** Everywhere that an agent can write. */
export const PLACES = ['/tmp', '/var/tmp', '/home/agent', '/workspace', '/dev/shm'];

/** Uploads: a static and a dynamic program, a library, a script, all with their execute bits, in every place. */
export const PREPARE = [
  'rm -rf /workspace/*',
  'echo ESCAPED > /tmp/mark',
  ...PLACES.flatMap((place) => [
    `cp /worker/confine ${place}/static`,
    `cp /usr/bin/uname ${place}/dynamic`,
    `cp "$(ls /usr/lib/*-linux-gnu/libz.so.1)" ${place}/library.so`,
    `printf '#!/bin/sh\\n${CURL}\\n' > ${place}/calls.sh`,
    `printf '#!/bin/sh\\necho ESCAPED\\n' > ${place}/script.sh`,
    `chmod 755 ${place}/static ${place}/dynamic ${place}/library.so ${place}/calls.sh ${place}/script.sh`,
  ]),
  'git init -q /workspace/repository',
].join('\n');

const command = (name: string, script: string): Escape => ({ name, script, open: RUNS, closed: DENIED });

/** A command that is in the image and not on the list. */
export const COMMANDS: Escape[] = [
  command('by its name', CURL),
  command('by its absolute path', `/usr/bin/${CURL}`),
  command('through git: an alias', `git -c alias.x='!${CURL}' x`),
  command('through git: its ssh', `git -c core.sshCommand='${CURL} >&2; false' ls-remote ssh://nowhere/x`),
  command('through git: a hook', `cd repository && git -c core.fsmonitor='${CURL} >&2; false' status`),
  command('through a script that is executed', '/tmp/calls.sh'),
  command('through a script that a shell reads', 'bash /tmp/calls.sh'),
  command('through find', `find /tmp/mark -exec ${CURL} ';'`),
  command('through env', `env ${CURL}`),
  command('through sed', `echo | sed '1e ${CURL}'`),
  command('through exec of the shell', `exec ${CURL}`),
  command('through the loader', `${LOADER} /usr/bin/${CURL}`),
  command('copied elsewhere', `cat /usr/bin/curl > /tmp/copy && ${LOADER} /tmp/copy -s file:///tmp/mark`),
  command('through /proc/self/fd', 'exec 3</usr/bin/curl && /proc/self/fd/3 -s file:///tmp/mark'),
  command('through a program that is not on the list either', `timeout 5 ${CURL}`),
  command('through xargs', `echo file:///tmp/mark | xargs curl -s`),
  command('another interpreter', `perl -e 'print "ESCAPED"'`),
  command('Python, which every image has', `python3 -c 'print("ESC" + "APED")'`),
  command('the Python packages of the image', 'ls /usr/local/lib/python3* && echo ESCAPED'),
  command('pip, as a program and as a module', 'pip --version && echo ESCAPED; exit 1'),
  command('Node, which the wrapper runs on', `node -e 'console.log("ESCAPED")'`),
];

/** Programs that the agent brought along, in one place. */
export const uploads = (place: string): Escape[] => [
  { name: 'a static program', script: `${place}/static --probe`, open: /seccomp=/, closed: DENIED },
  { name: 'a script', script: `${place}/script.sh`, open: RUNS, closed: DENIED },
  {
    name: 'a program through the loader',
    script: `${LOADER} ${place}/dynamic`,
    open: /Linux/,
    closed: /failed to map segment|Operation not permitted|Permission denied/,
  },
  {
    name: 'a library by LD_PRELOAD',
    script: `LD_PRELOAD=${place}/library.so cat /proc/self/maps`,
    open: new RegExp(`r-xp.*${place}/library.so`),
    closed: /failed to map segment/,
  },
  {
    name: 'a library as a part of the shell',
    script: `enable -f ${place}/library.so nothing`,
    open: /undefined symbol|not a valid|cannot find/,
    closed: /failed to map segment/,
  },
  {
    name: 'a program through a descriptor',
    script: `exec 3<${place}/static && /proc/self/fd/3 --probe`,
    open: /seccomp=/,
    closed: DENIED,
  },
];

/** Code that is put into a process of the agent's own, with a shell alone. */
export const INJECTIONS: Escape[] = [
  {
    name: 'writing into the memory of the shell',
    script: '{ exec 3<>/proc/self/mem; } && echo ESCAPED',
    open: RUNS,
    closed: /Read-only file system|Permission denied/,
  },
];

/** What belongs to the wrapper or to root, whatever the agent may execute. */
export const INTRUSIONS: Escape[] = (
  [
    ['reading the wrapper’s environment', 'cat /proc/$WRAPPER/environ | tr "\\0" "\\n"', /its-secret/],
    ['reading that of the first process', 'cat /proc/1/environ', /its-secret/],
    ['listing the wrapper’s files', 'ls /proc/$WRAPPER/fd/ && echo ESCAPED', RUNS],
    ['opening the wrapper’s memory', '{ exec 3</proc/$WRAPPER/mem; } && echo ESCAPED', RUNS],
    ['ending the wrapper', 'kill -9 $WRAPPER && echo ESCAPED', RUNS],
    ['ending the first process', 'kill -9 1 && echo ESCAPED', RUNS],
    ['changing the gate', '{ echo > /worker/gate; } && echo ESCAPED', RUNS],
    ['changing the wrapper', '{ echo > /worker/wrapper.mjs; } && echo ESCAPED', RUNS],
    ['making a file of root’s', '{ echo > /etc/profile.d/x.sh; } && echo ESCAPED', RUNS],
    ['making itself a member of a group', '{ echo > /etc/group; } && echo ESCAPED', RUNS],
    ['listing what the wrapper keeps in memory', 'ls /run/worker && echo ESCAPED', RUNS],
    ['reading the passwords of the container', 'cat /etc/shadow && echo ESCAPED', RUNS],
    ['becoming root by confine', '/worker/confine --user 0:0 -- id && echo ESCAPED', RUNS],
    ['getting a group by confine', '/worker/confine --user 10002:10002,20000 -- id && echo ESCAPED', RUNS],
  ] as const
).map(([name, script, open]) => ({
  name,
  script,
  open,
  closed: /Permission denied|Operation not permitted|Read-only file system/,
  always: true,
}));
