/**
 * Who may import whom. `from` and `to` are regular expressions over paths from the repository's root; imports of
 * types count as much as those of values. Rules name folders, so that a new file obeys them without a change here.
 */
const { readdirSync, readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');

const DECIDING = '^(machines/|src/reconcile/(decide|deadlines)\\.ts$)';
/** What of `src/pools` carries decisions out. */
const POOL_LOOP = '^src/pools/((loop|reconcile)|warm/warm-pool)\\.ts$';
const OURS = '^(src|machines|worker-base|page|scripts|bench|test)/';
const npm = (name) => `^node_modules/${name}/`;

/** Modules of the model that load zod, themselves or through another. Their types are free. */
const ZOD = (() => {
  const folder = join(__dirname, 'src', 'model');
  const files = readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.ts'));
  const texts = new Map(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
  const loads = (file) =>
    /^(import|export) (?!type)[^;]* from 'zod';/m.test(texts.get(file)) ||
    [...texts.get(file).matchAll(/^(?:import|export) (?!type)[^;]* from '(\.[^']+)';/gm)].some(([, other]) =>
      loads(join(dirname(file), other)),
    );
  return `^src/model/(${[...texts.keys()].filter(loads).join('|').replaceAll('.', '\\.')})$`;
})();

/** Rooms from the ground up: a room imports those before it, and no room after it. */
const FLOORS = {
  src: [
    ['model', 'modules'],
    ['telemetry', 'queue', 'agents'],
    ['tasks'],
    ['store'],
    ['runtimes'],
    ['http'],
    ['doors', 'mcp'],
    ['config'],
    ['images', 'private-redis', 'webhooks', 'checkpoints'],
    ['pools'],
    ['placement'],
    ['commands'],
    ['reconcile'],
    ['leader'],
    ['watchdog'],
    ['manager'],
    ['client', 'cli'],
  ],
  'worker-base': [
    ['sandbox'],
    ['streams'],
    ['agent'],
    ['model-proxy'],
    ['turns'],
    ['exec', 'archive'],
    ['terminal', 'ports', 'files'],
    ['door'],
    ['tasks'],
    ['boot'],
  ],
};

/** One rule for each floor. */
const floorRules = Object.entries(FLOORS).flatMap(([root, floors]) =>
  floors.slice(0, -1).map((rooms, floor) => ({
    name: `nothing-above-${rooms[0]}`,
    comment: 'A room can be read, tested and changed without those above it.',
    severity: 'error',
    from: { path: `^${root}/(${rooms.join('|')})/` },
    to: {
      path: `^${root}/(${floors
        .slice(floor + 1)
        .flat()
        .join('|')})/`,
    },
  })),
);

module.exports = {
  forbidden: [
    ...floorRules,
    {
      name: 'no-circular',
      comment: 'A circle cannot be read, tested or taken out one file at a time.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'not-to-unresolvable',
      comment:
        'An import that leads nowhere fails only when the line is reached. The runner gives handlers `worker-manager`.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^worker-manager$' },
    },
    {
      name: 'model-imports-nothing-of-ours',
      comment: 'The words of the project depend on nothing, so that everything may depend on them.',
      severity: 'error',
      from: { path: '^src/model/' },
      to: { path: OURS, pathNot: '^src/model/' },
    },
    {
      name: 'deciding-is-pure',
      comment:
        'What decides imports the model, the machines and xstate: no client, clock, file or environment.',
      severity: 'error',
      from: { path: DECIDING },
      to: { pathNot: ['^src/model/', DECIDING, npm('xstate')] },
    },
    {
      name: 'dockerode-only-in-the-docker-parts',
      comment: 'One place knows the traps of the engine and its client.',
      severity: 'error',
      from: {
        path: OURS,
        pathNot: '^(src/runtimes/(docker|swarm)|src/images|src/private-redis|scripts|bench|test)/',
      },
      to: { path: npm('(@types/)?dockerode') },
    },
    {
      name: 'ioredis-only-in-the-store',
      comment:
        'One place knows the keys, the scripts and the traps of the client; the wrapper and the task queue have connections of their own.',
      severity: 'error',
      from: { path: OURS, pathNot: '^(src/(store|tasks|private-redis)|worker-base|scripts|bench|test)/' },
      to: { path: npm('ioredis') },
    },
    {
      name: 'runtimes-know-no-loop',
      comment: 'A runtime does what it is told to a body; what is asked of a worker is not its business.',
      severity: 'error',
      from: { path: '^src/runtimes/' },
      to: { path: '^src/(store|queue|reconcile|pools|leader|manager|commands)/' },
    },
    {
      name: 'commands-touch-no-body',
      comment: 'A command writes down what should be; only the loop acts.',
      severity: 'error',
      from: { path: '^src/(commands|placement)/' },
      to: { path: ['^src/(reconcile|leader|manager|queue|runtimes/[^/]+)/', POOL_LOOP] },
    },
    {
      name: 'store-knows-no-loop',
      comment:
        'The store keeps records and judges nothing. It implements the lease that the queue describes.',
      severity: 'error',
      from: { path: '^src/store/' },
      to: {
        path: ['^src/(reconcile|leader|manager|placement|runtimes|commands|http|cli|queue)/', POOL_LOOP],
        pathNot: '^src/queue/lease\\.ts$',
      },
    },
    {
      name: 'queue-and-http-stand-alone',
      comment: 'Timing and probes are handed what they need.',
      severity: 'error',
      from: { path: '^src/(queue|http)/' },
      to: {
        path: ['^src/(store|runtimes|doors|reconcile|leader|manager|placement|commands|cli)/', POOL_LOOP],
      },
    },
    {
      name: 'wrapper-stands-alone',
      comment:
        'What runs in a body is bundled to one file: of the manager it shares the words, the keys and what is known of the agents only.',
      severity: 'error',
      from: { path: '^worker-base/' },
      to: {
        path: '^(src|machines)/',
        pathNot:
          '^src/(model/|agents/|tasks/|http/(access/|listener/(connection-headers|connections|flush-soon|join-streams|listen)\\.ts$|doors/(door-paths|tcp-frames)\\.ts$|schemas/task-schemas\\.ts$|(body|format-response|idempotency|route|send-json|tasks|upgrades)\\.ts$)|queue/long-timer\\.ts$|store/keys\\.ts$|telemetry/redact\\.ts$)',
      },
    },
    {
      name: 'pools-are-decided-purely',
      comment: 'What is judged of pools depends on the look alone: no client, clock, file or environment.',
      severity: 'error',
      from: { path: '^src/pools/', pathNot: POOL_LOOP },
      to: { pathNot: ['^src/(model|pools)/', '^(node:)?crypto$', npm('zod')] },
    },
    {
      name: 'pool-decisions-know-no-loop',
      comment: 'The loop imports the decision, never the other way round.',
      severity: 'error',
      from: { path: '^src/pools/', pathNot: POOL_LOOP },
      to: { path: POOL_LOOP },
    },
    {
      name: 'one-worker-knows-no-leader',
      comment: 'The loop over workers is one part of a term, which is one part of the process.',
      severity: 'error',
      from: { path: '^src/reconcile/' },
      to: { path: '^src/(leader|manager|pools|commands|placement|http|cli|config)/' },
    },
    {
      name: 'a-term-knows-no-process',
      comment: 'A term of leadership gets its parts as arguments; the process creates them.',
      severity: 'error',
      from: { path: '^src/(leader|pools)/' },
      to: { path: '^src/(manager|http|cli|config)/' },
    },
    {
      name: 'agents-import-types-only',
      comment:
        'The wrapper carries all agents in its bundle, and boots in every body: zod and the rest stay out.',
      severity: 'error',
      from: { path: '^src/agents/' },
      to: { pathNot: '^src/(agents|model)/' },
    },
    {
      name: 'bodies-load-no-zod',
      comment:
        'zod is a third of the start of a wrapper, and as much memory again. Only the node API documents itself by schemas.',
      severity: 'error',
      from: { path: '^(worker-base|src/agents)/', pathNot: '^worker-base/tasks/node-(schema|docs)\\.ts$' },
      to: { path: [ZOD, npm('zod')], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'client-needs-only-fetch',
      comment: 'The SDK also runs where there is no Node, and loads nothing of the manager over HTTP.',
      severity: 'error',
      from: { path: '^src/client/', pathNot: '^src/client/redis/' },
      to: { pathNot: ['^src/client/', npm('eventsource-parser')], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'page-uses-the-public-api',
      comment:
        'The page is a client like any other, in a browser: it knows the SDK over HTTP and nothing else of the manager.',
      severity: 'error',
      from: { path: '^page/' },
      to: {
        path: OURS,
        pathNot: '^(page/|src/client/(?!redis/)|src/telemetry/printable\\.ts$)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'nothing-imports-the-page',
      comment: 'It is bundled, and served as files.',
      severity: 'error',
      from: { path: OURS, pathNot: '^(page|test/page)/' },
      to: { path: '^page/' },
    },
    {
      name: 'client-loads-redis-lazily',
      comment: 'A program that uses HTTP loads no client of Redis.',
      severity: 'error',
      from: { path: '^src/client/', pathNot: '^src/client/redis/' },
      to: { path: '^src/client/redis/', dynamic: false },
    },
    {
      name: 'tasks-stand-alone',
      comment: 'A worker carries the task queue in its bundle: nothing of the manager comes along, nor zod.',
      severity: 'error',
      from: { path: '^src/tasks/' },
      to: { path: OURS, pathNot: '^src/(tasks/|model/|queue/long-timer\\.ts$)' },
    },
    {
      name: 'nothing-imports-main',
      comment:
        'main.ts reads the environment and starts to run when it is loaded. Only the program of the package does just that.',
      severity: 'error',
      from: { pathNot: '^scripts/package-main\\.ts$' },
      to: { path: '^src/main\\.ts$' },
    },
    {
      name: 'product-imports-no-test-or-script',
      comment: 'What is shipped does not need what is not.',
      severity: 'error',
      from: { path: '^(src|machines|worker-base)/' },
      to: { path: '^(test|scripts|bench)/' },
    },
    {
      name: 'product-needs-no-development-package',
      comment: 'What is shipped runs after `npm install --omit=dev`. Types are gone by then.',
      severity: 'error',
      from: { path: '^(src|machines|worker-base)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
