/**
 * The verbs, in the order of the help text. A command line loads only the module of its verb: all modules together take
 * several times as long to load as one. A new verb is a new line here and a module with its options and its action.
 *
 * Must import the modules of verbs only with `import(…)`.
 */
import type { Command } from 'commander';
import type { Context } from './context.ts';

interface VerbLoader {
  /** The names and aliases of the verbs that it loads. */
  names: string;
  load: (context: Context) => Promise<Command | Command[]>;
}

/** Loaders of verbs by the heading of the verbs in the help text. */
export const VERBS: Record<string, VerbLoader[]> = {
  'Workers:': [
    {
      names: 'create',
      load: async (context) => (await import('./workers/create.ts')).createCommand(context),
    },
    { names: 'run', load: async (context) => (await import('./workers/run.ts')).runWorkerCommand(context) },
    {
      names: 'stop start restart delete rm',
      load: async (context) => (await import('./workers/desire.ts')).desireCommands(context),
    },
    { names: 'send', load: async (context) => (await import('./workers/send.ts')).sendCommand(context) },
    { names: 'attach', load: async (context) => (await import('./doors/attach.ts')).attachCommand(context) },
    { names: 'exec', load: async (context) => (await import('./doors/exec.ts')).execCommand(context) },
    { names: 'cp', load: async (context) => (await import('./doors/cp.ts')).cpCommand(context) },
    {
      names: 'port-forward',
      load: async (context) => (await import('./doors/port-forward.ts')).portForwardCommand(context),
    },
    { names: 'url', load: async (context) => (await import('./doors/port-forward.ts')).urlCommand(context) },
    {
      names: 'checkpoint checkpoints fork',
      load: async (context) => (await import('./doors/checkpoints.ts')).checkpointCommands(context),
    },
    {
      names: 'changes export',
      load: async (context) => (await import('./doors/changes.ts')).changesCommands(context),
    },
    { names: 'wait', load: async (context) => (await import('./workers/wait.ts')).waitCommand(context) },
    { names: 'prune', load: async (context) => (await import('./workers/prune.ts')).pruneCommand(context) },
  ],
  'Looking:': [
    { names: 'ps ls', load: async (context) => (await import('./workers/ps.ts')).psCommand(context) },
    {
      names: 'status',
      load: async (context) => (await import('./workers/status.ts')).statusCommand(context),
    },
    {
      names: 'describe',
      load: async (context) => (await import('./workers/describe.ts')).describeCommand(context),
    },
    {
      names: 'explain',
      load: async (context) => (await import('./workers/explain.ts')).explainCommand(context),
    },
    { names: 'top', load: async (context) => (await import('./workers/top.ts')).topCommand(context) },
    { names: 'logs', load: async (context) => (await import('./logs/logs.ts')).logsCommand(context) },
    { names: 'events', load: async (context) => (await import('./logs/events.ts')).eventsCommand(context) },
  ],
  'Pools:': [
    { names: 'apply', load: async (context) => (await import('./pools/apply.ts')).applyCommand(context) },
    { names: 'diff', load: async (context) => (await import('./pools/apply.ts')).diffCommand(context) },
    { names: 'pools', load: async (context) => (await import('./pools/pools.ts')).poolsCommand(context) },
    { names: 'scale', load: async (context) => (await import('./pools/pools.ts')).scaleCommand(context) },
  ],
  'Tasks:': [
    { names: 'tasks', load: async (context) => (await import('./tasks/tasks.ts')).tasksCommand(context) },
  ],
  'Images:': [
    { names: 'images', load: async (context) => (await import('./images/images.ts')).imagesCommand(context) },
  ],
  'The manager:': [
    { names: 'serve', load: async (context) => (await import('./manager/serve.ts')).serveCommand(context) },
    {
      names: 'dismantle',
      load: async (context) => (await import('./manager/dismantle.ts')).dismantleCommand(context),
    },
    {
      names: 'context',
      load: async (context) => (await import('./manager/context-verb.ts')).contextCommand(context),
    },
    { names: 'mcp', load: async (context) => (await import('./manager/mcp.ts')).mcpCommand(context) },
    {
      names: 'webhooks',
      load: async (context) => (await import('./manager/webhooks.ts')).webhooksCommand(context),
    },
    { names: 'doctor', load: async (context) => (await import('./doctor/doctor.ts')).doctorCommand(context) },
    {
      names: 'config',
      load: async (context) => (await import('./manager/config.ts')).configCommand(context),
    },
    {
      names: 'version',
      load: async (context) => (await import('./manager/config.ts')).versionCommand(context),
    },
    {
      names: 'completion',
      load: async (context) =>
        (await import('./completion/completion.ts')).completionCommand(context, loadVerbs),
    },
  ],
};

/** Loads the verbs that a command line can name: one module, or all of them if its first word is not a verb. */
export async function loadVerbs(
  context: Context,
  word: string | undefined,
): Promise<{ heading: string; command: Command }[]> {
  const all = Object.entries(VERBS).flatMap(([heading, loaders]) =>
    loaders.map((loader) => ({ heading, ...loader })),
  );
  const named = all.filter(({ names }) => names.split(' ').includes(word ?? ''));
  const loaded = (named.length > 0 ? named : all).map(async ({ heading, load }) =>
    [await load(context)].flat().map((command) => ({ heading, command })),
  );
  return (await Promise.all(loaded)).flat();
}
