import { Command } from 'commander';
import type { Context } from '../context.ts';
import { printListing, printResult } from '../print/listing.ts';
import { type Format, outputOption } from '../print/output.ts';

export function configCommand({ deps, out }: Context): Command {
  return new Command('config')
    .summary('print the effective settings')
    .description('Print the effective settings, which are read from the environment. Secrets are hidden.')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ LEASE_SECONDS=5 wm config')
    .action(async ({ output }: { output: Format }) => {
      const rows = (await deps.explainSettings()).map((row) => {
        const { name, value, source, help } = row;
        return { name, value: row, cells: [name, value, source, help] };
      });
      await printListing(out, output, { columns: ['NAME', 'VALUE', 'FROM', 'DESCRIPTION'], rows });
    });
}

export function versionCommand({ deps, out }: Context): Command {
  return new Command('version')
    .summary('print the version')
    .description('Print the versions of worker-manager and Node.')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm version -o json')
    .action(async ({ output }: { output: Format }) => {
      const info = {
        version: deps.version,
        node: process.version,
        platform: `${process.platform}/${process.arch}`,
      };
      const text = `worker-manager ${info.version} (node ${info.node}, ${info.platform})`;
      await printResult(out, output, { value: info, names: [info.version], text });
    });
}
