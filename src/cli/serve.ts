import { Command } from 'commander';
import type { Context } from './context.ts';

/** As a shell tells of a program that a signal has ended. */
const SIGNALED = { SIGINT: 130, SIGTERM: 143 } as const;

export function serveCommand({ parts }: Context): Command {
  return new Command('serve')
    .summary('run the manager')
    .description(
      'Run the manager until SIGTERM or SIGINT; a second signal ends it at once. Workers outlive it, and the next manager adopts them. `wm config` shows its settings.',
    )
    .option('--cleanup', 'end the direct workers of this cell when the manager is asked to go')
    .addHelpText('after', '\nExample:\n  $ REDIS_URL=redis://127.0.0.1:6379 RUNTIME=process wm serve')
    .action(async (options: { cleanup?: boolean }) => {
      const settings = parts.managerSettings();
      const controller = new AbortController();
      const listeners = (Object.keys(SIGNALED) as (keyof typeof SIGNALED)[]).map((signal) => {
        const listener = () => {
          if (controller.signal.aborted) process.exit(SIGNALED[signal]);
          controller.abort();
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
