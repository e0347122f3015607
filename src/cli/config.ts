import { Command } from 'commander';
import type { Context } from './context.ts';
import { outputOption } from './output.ts';
import { table } from './table.ts';

export function configCommand({ parts, out }: Context): Command {
  return new Command('config')
    .summary('print the effective settings')
    .description('Print the effective settings, which are read from the environment. Secrets are hidden.')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ LEASE_SECONDS=5 wm config')
    .action(async ({ output }: { output: string }) => {
      const rows = parts.explainSettings();
      if (output === 'json') return out.json(rows);
      const cells = rows.map(({ name, value, source, help }) => [name, value, source, help]);
      await out.line(table(['NAME', 'VALUE', 'FROM', 'DESCRIPTION'], cells));
    });
}

export function versionCommand({ parts, out }: Context): Command {
  return new Command('version')
    .summary('print the version')
    .description('Print the versions of worker-manager and Node.')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm version -o json')
    .action(async ({ output }: { output: string }) => {
      const told = {
        version: parts.version,
        node: process.version,
        platform: `${process.platform}/${process.arch}`,
      };
      if (output === 'json') return out.json(told);
      await out.line(`worker-manager ${told.version} (node ${told.node}, ${told.platform})`);
    });
}
