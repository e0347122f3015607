import { Command } from 'commander';
import { Fault, getCapabilities, toRuntimeNames } from '../../model/index.ts';
import type { Context } from '../context.ts';
import { type EndSignal, SIGNALED, shutdownSignals } from './shutdown.ts';

export function serveCommand({ deps }: Context): Command {
  return new Command('serve')
    .summary('run the manager')
    .description(
      'Run the manager until SIGTERM or SIGINT. A second Ctrl-C, seconds later, exits immediately. Workers keep running, and the next manager adopts them. Without REDIS_URL, each cell has a private Redis, which several managers share and which keeps running while workers do. `wm config` shows the settings.',
    )
    .option('--cleanup', 'stop the direct workers of this cell on shutdown')
    .addHelpText(
      'after',
      '\nExamples:\n  $ wm serve\n  $ REDIS_URL=redis://127.0.0.1:6379 RUNTIME=process wm serve',
    )
    .action(async (options: { cleanup?: boolean }) => {
      const settings = await deps.managerSettings();
      const bundled = toRuntimeNames(settings.runtime).some(
        (name) => getCapabilities(name).needsWrapperBundle,
      );
      if (bundled && !deps.wrapperIsBuilt()) throw notBuilt();
      const controller = new AbortController();
      const meaning = shutdownSignals({
        isTerminal: process.stdin.isTTY === true,
        now: () => performance.now(),
      });
      const listeners = (Object.keys(SIGNALED) as EndSignal[]).map((signal) => {
        const listener = () => {
          const act = meaning(signal);
          if (act === 'exit') process.exit(SIGNALED[signal]);
          if (act === 'begin') controller.abort();
        };
        process.on(signal, listener);
        return () => process.off(signal, listener);
      });
      try {
        await deps.serve(settings, controller.signal, options);
      } finally {
        for (const remove of listeners) remove();
      }
    });
}

/** Without this check, it became ready and every direct worker failed with an error of Node. */
const notBuilt = () =>
  new Fault(
    'unavailable',
    'Direct workers need the wrapper, dist/wrapper.mjs, which is not built. Build it with `npm run build`, use `npm start`, which builds it, or set RUNTIME=docker.',
  );
