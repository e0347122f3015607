import { Command } from 'commander';
import { Fault } from '../model/index.ts';
import type { Context } from './context.ts';
import { type EndSignal, SIGNALED, shutdownSignals } from './shutdown.ts';

export function serveCommand({ parts }: Context): Command {
  return new Command('serve')
    .summary('run the manager')
    .description(
      'Run the manager until SIGTERM or SIGINT; a second Ctrl-C, seconds later, ends it at once. Workers outlive it, and the next manager adopts them. `wm config` shows its settings.',
    )
    .option('--cleanup', 'end the direct workers of this cell when the manager is asked to go')
    .addHelpText('after', '\nExample:\n  $ REDIS_URL=redis://127.0.0.1:6379 RUNTIME=process wm serve')
    .action(async (options: { cleanup?: boolean }) => {
      const settings = parts.managerSettings();
      if (settings.runtime !== 'docker' && !parts.wrapperIsBuilt()) throw notBuilt();
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
        await parts.serve(settings, controller.signal, options);
      } finally {
        for (const remove of listeners) remove();
      }
    });
}

/** It was ready, and each direct worker failed with a line of Node. */
const notBuilt = () =>
  new Fault(
    'unavailable',
    'The wrapper, dist/wrapper.mjs, is not built, and no direct worker can start without it. Build it with `npm run build`, use `npm start`, which does so, or set RUNTIME=docker.',
  );
