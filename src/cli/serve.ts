import { Command } from 'commander';
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
