import { Command } from 'commander';
import type { Context } from './context.ts';
import { outputOption } from './output.ts';
import { formatTable } from './table.ts';

export function configCommand({ deps, out }: Context): Command {
  return new Command('config')
    .summary('print the effective settings')
    .description('Print the effective settings, which are read from the environment. Secrets are hidden.')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ LEASE_SECONDS=5 wm config')
    .action(async ({ output }: { output: string }) => {
      const rows = deps.explainSettings();
      if (output === 'json') return out.json(rows);
      const cells = rows.map(({ name, value, source, help }) => [name, value, source, help]);
      await out.line(formatTable(['NAME', 'VALUE', 'FROM', 'DESCRIPTION'], cells));
    });
}

export function versionCommand({ deps, out }: Context): Command {
  return new Command('version')
    .summary('print the version')
    .description('Print the versions of worker-manager and Node.')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm version -o json')
    .action(async ({ output }: { output: string }) => {
      const info = {
        version: deps.version,
        node: process.version,
        platform: `${process.platform}/${process.arch}`,
      };
      if (output === 'json') return out.json(info);
      await out.line(`worker-manager ${info.version} (node ${info.node}, ${info.platform})`);
    });
}
