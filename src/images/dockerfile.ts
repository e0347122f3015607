/**
 * Generates the Dockerfile of a recipe. Pure. The text works with the oldest builder as well as with
 * BuildKit: no mounts, no heredocs.
 *
 * The order lets variants share most layers: large parts that rarely change come first, the wrapper late, and
 * the lock, which depends on every file before it, last. Certificates for the build exist only in builder
 * stages, from which only finished files are copied. No interpolated value can end a line or an argument.
 */
import { LABEL } from '../model/index.ts';
import { getModules, type Module } from '../modules/index.ts';
import type { Recipe } from './recipe.ts';

/** The users and the base group of programs, in every image. */
export const WRAPPER_ID = 10_001;
export const AGENT_ID = 10_002;
export const NODE_GROUP = 20_000;

/**
 * The common part of every image, in one shared layer: a reaper, `ps` and a fast search for the agents,
 * certificates for https, curl for health checks, and Python with pip for handlers. In a locked image, only
 * allowed commands can use them.
 */
const COMMON = ['ca-certificates', 'curl', 'procps', 'python3', 'python3-pip', 'ripgrep', 'tini'];
/** Label that identifies builder-stage leftovers when the build cache is trimmed. */
const OURS = `LABEL ${LABEL.managed}=true`;
/** Names of images, packages, versions and programs, and parts of paths. */
const PLAIN = /^[A-Za-z0-9@/][A-Za-z0-9@._:/+-]{0,254}$/;

/**
 * Returns the text; `writeBuildContext` creates the folder for it. Throws if a name could break out of its
 * argument.
 */
export function renderDockerfile(recipe: Recipe): string {
  const { agent, base, locked } = recipe;
  const modules = getModules(recipe.modules);
  const from = `FROM ${plain(base.name)}`;
  const stage = (name: string, lines: string, base = plain(recipe.base.name)) =>
    `FROM ${base} AS ${name}\n${OURS}\n${lines}`;
  const cli = agent.program === undefined ? undefined : plain(agent.program);
  const parts = [
    `# ${title(recipe)}\n# Made by worker-manager. \`docker build .\` in this folder makes the same image.`,
    `${from} AS common\n${common}`,
    stage('confine', confineStage, 'common'),
    stage('wrapper', wrapperStage, 'common'),
    ...(cli ? [stage('cli', cliStage(agent, cli))] : []),
    ...modules.flatMap(({ name, stage: lines }) =>
      lines ? [stage(name.toLowerCase(), lines.join('\n'))] : [],
    ),
    `FROM common${recipe.requirements ? ' AS tools' : ''}`,
    ...agentLayers(agent, cli),
    ...modules.map(moduleLayers),
    ...(recipe.packages ? [packageLayer] : []),
    ...(recipe.requirements ? [requirementsStage, requirementsLayer] : []),
    wrapperLayer,
    ...(agent.type === 'TASK' ? [node] : []),
    ...(locked
      ? [`COPY lock.sh /worker/lock.sh\nRUN /worker/lock.sh ${cli ? `/usr/local/bin/${cli}` : ''}`.trimEnd()]
      : []),
  ];
  return `${parts.join('\n\n')}\n`;
}

function title({ agent, modules, locked }: Recipe): string {
  const version = agent.version ? ` ${plain(agent.version)}` : '';
  const tools = modules.length > 0 ? `, with ${modules.join(', ')}` : '';
  return `${agent.type}${version}${tools}${locked ? ', locked' : ''}`;
}

/**
 * Most of the time of an `apt-get install` is the update before it, so the package lists stay in the layer
 * that all images share. A layer that is built more than a day later updates them first. They are compressed,
 * as in Debian's own images.
 */
const update =
  'find /var/lib/apt/updated -mtime -1 2>/dev/null | grep -q . || { apt-get -o Acquire::GzipIndexes=true update && touch /var/lib/apt/updated; }';
const forgetLogs = 'rm -rf /var/log/apt /var/log/dpkg.log';

const install = (packages: readonly string[]) =>
  run(update, `apt-get install -y --no-install-recommends ${packages.map(plain).join(' ')}`, forgetLogs);

const run = (...commands: string[]) => `RUN ${commands.join(' \\\n && ')}`;

const confineStage = [
  install(['gcc', 'libc6-dev']),
  'COPY confine.c /src/confine.c',
  'RUN gcc -O2 -static -s -Wall -Wextra -Werror -o /src/confine /src/confine.c',
].join('\n');

/** npm runs the package's installer, which replaces a stub with the native program. */
function cliStage(agent: Recipe['agent'], program: string): string {
  const wanted = `${plain(agent.package ?? '')}@${plain(agent.version ?? '')}`;
  const file =
    agent.native === undefined
      ? `"$(readlink -f /cli/node_modules/.bin/${program})"`
      : `/cli/node_modules/${agent.native.split('*').map(plain).join('*')}`;
  return [
    'COPY ca.crt /ca.crt',
    run(
      'if [ -s /ca.crt ]; then export NODE_EXTRA_CA_CERTS=/ca.crt npm_config_cafile=/ca.crt; fi',
      `npm install --prefix /cli --no-audit --no-fund --no-update-notifier ${wanted}`,
      `install -D -m 0755 ${file} /out/${program}`,
      'rm -rf /cli /root/.npm',
      `if [ "$(head -c 4 /out/${program} | tail -c 3)" != ELF ]; then echo '${wanted} has no native program for this machine.'; exit 1; fi`,
    ),
  ].join('\n');
}

/**
 * The common part of all images. Node gets its group here, once: changing its mode later would copy its 120
 * MB into another layer. Constant settings are here too, so that no variant spends a step on them.
 */
const common = [
  'USER root',
  run(
    update,
    `apt-get install -y --no-install-recommends ${COMMON.join(' ')}`,
    forgetLogs,
    `groupadd --gid ${NODE_GROUP} cmd-node`,
    `groupadd --gid ${WRAPPER_ID} wrapper && groupadd --gid ${AGENT_ID} agent`,
    `useradd --uid ${WRAPPER_ID} --gid wrapper --groups cmd-node --home-dir /worker --no-create-home --shell /usr/sbin/nologin wrapper`,
    `useradd --uid ${AGENT_ID} --gid agent --home-dir /home/agent --no-create-home --shell /bin/bash agent`,
    'install -d -o agent -g wrapper -m 2775 /home/agent /workspace && install -d /worker',
    'node="$(readlink -f "$(command -v node)")" && chgrp cmd-node "$node" && chmod 0750 "$node"',
    // Debian's marker makes pip leave Python alone; in an image, nothing else manages it.
    'rm -f /usr/lib/python3*/EXTERNALLY-MANAGED',
  ),
  'ENV WORKSPACE_PATH=/workspace',
  'WORKDIR /workspace',
  'ENTRYPOINT ["/worker/entry"]',
].join('\n');

/** apt treats an unknown package name as a regular expression unless that is disabled. */
const packageLayer = [
  '# Debian packages',
  'COPY packages.txt /worker/packages.txt',
  run(
    update,
    'xargs -a /worker/packages.txt apt-get -o APT::Cmd::Pattern-Only=true install -y --no-install-recommends --',
    forgetLogs,
  ),
].join('\n');

/**
 * Uses the same tools as the image, so that compiled code fits, and the agent's user, because setup scripts
 * are untrusted.
 */
const requirementsStage = [
  'FROM tools AS requirements',
  OURS,
  'COPY ca.crt requirements.txt /requirements/',
  'ARG PIP_INDEX_URL',
  'ARG PIP_TRUSTED_HOST',
  run(
    'if [ -s /requirements/ca.crt ]; then export PIP_CERT=/requirements/ca.crt; fi',
    'install -d -o agent -g agent /requirements/out /requirements/home',
    `HOME=/requirements/home setpriv --reuid ${AGENT_ID} --regid ${AGENT_ID} --clear-groups --no-new-privs pip install --no-cache-dir --disable-pip-version-check --root /requirements/out -r /requirements/requirements.txt`,
  ),
].join('\n');

const requirementsLayer = [
  'FROM tools',
  '# Python packages',
  'COPY --from=requirements /requirements/out/ /',
  'COPY requirements.txt /worker/requirements.txt',
].join('\n');

function agentLayers({ debian = [] }: Recipe['agent'], program: string | undefined): string[] {
  const more = debian.filter((name) => !COMMON.includes(name));
  const lines = [
    ...(more.length > 0 ? [install(more)] : []),
    ...(program ? [`COPY --from=cli /out/${program} /usr/local/bin/${program}`] : []),
  ];
  return lines.length > 0 ? [lines.join('\n')] : [];
}

function moduleLayers({ name, debian, lines = [] }: Module): string {
  const more = debian.filter((name) => !COMMON.includes(name));
  return [
    `# ${name}${more.length + lines.length > 0 ? '' : ': in every image'}`,
    ...(more.length > 0 ? [install(more)] : []),
    ...lines,
  ].join('\n');
}

/**
 * The wrapper, in its own stage: a variant copies it in one step, and only a new wrapper rebuilds it. Node
 * compiles it once here instead of in every body. Node keeps one cache per user ID and writes it at an
 * orderly exit: without its settings the wrapper exits with 78 as soon as its main part is loaded. The other
 * parts are loaded separately.
 */
const wrapperStage = [
  'COPY --from=confine /src/confine /worker/confine',
  'COPY entry gate health /worker/',
  // Copy by file: the cache treats folders of our context and of the docker program's context as different.
  'COPY wrapper/*.* /worker/',
  'COPY wrapper/runner/*.* /worker/runner/',
  run(
    `{ NODE_COMPILE_CACHE=/tmp/cache setpriv --reuid ${WRAPPER_ID} --regid ${WRAPPER_ID} --groups ${NODE_GROUP} node /worker/wrapper.mjs 2>/tmp/said; [ $? = 78 ] || { cat /tmp/said; exit 1; }; }`,
    `{ set -- /worker/*-*.mjs; [ ! -e "$1" ] || NODE_COMPILE_CACHE=/tmp/cache setpriv --reuid ${WRAPPER_ID} --regid ${WRAPPER_ID} --groups ${NODE_GROUP} node $(printf ' --import %s' "$@") -e 0; }`,
    'chmod -R a+rX /tmp/cache && chown -R root:root /tmp/cache && mv /tmp/cache /worker/cache && rm /tmp/said',
  ),
].join('\n');

const wrapperLayer = '# The wrapper\nCOPY --from=wrapper /worker/ /worker/';

/**
 * The health check of a task worker over HTTP, run by the engine; a manually started container needs no
 * settings.
 */
const node = [
  'ENV WORKER_PORT=5000 WORKER_HOST=0.0.0.0',
  'EXPOSE 5000',
  'HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["/worker/health"]',
].join('\n');

function plain(text: string): string {
  if (!PLAIN.test(text)) throw new TypeError(`${JSON.stringify(text)} is not allowed in a Dockerfile.`);
  return text;
}
