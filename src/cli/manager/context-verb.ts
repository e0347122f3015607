import { Command, Option } from 'commander';
import { Fault } from '../../model/index.ts';
import { HIDDEN, redactUrl } from '../../telemetry/redact.ts';
import type { Context } from '../context.ts';
import { printListing, printResult } from '../print/listing.ts';
import { type Format, outputOption } from '../print/output.ts';
import { formatTable } from '../print/table.ts';

interface ContextOptions {
  token?: boolean;
  redisUrl?: boolean;
  all?: boolean;
  output: Format;
}

/** `context`: shows how the command line of this machine connects to the manager of the cell. */
export function contextCommand(context: Context): Command {
  const { deps, out } = context;
  return new Command('context')
    .summary('show how wm reaches the manager')
    .description(
      'Show the URL, token and Redis URL of the manager of this cell, from the context file that it wrote when it started. WM_URL, WM_TOKEN and REDIS_URL override the file. Secrets are hidden without --token or --redis-url.',
    )
    .addOption(new Option('--token', 'print only the token').conflicts('redisUrl'))
    .option('--redis-url', 'print only the URL of Redis, with its password')
    .addOption(outputOption())
    .addHelpText(
      'after',
      '\nExample:\n  $ curl -H "Authorization: Bearer $(wm context --token)" http://127.0.0.1:8080/v1/pools',
    )
    .option('--all', 'show every cell that has a context file on this machine')
    .action(async ({ token, redisUrl, all, output }: ContextOptions) => {
      if (all) return showAll(context, output);
      const address = await deps.context();
      if (token && !address.token) throw unknown(address.path);
      if (token) return out.line(address.token ?? '');
      if (redisUrl) return out.line(address.redisUrl);
      const shown = {
        cell: address.cell,
        url: address.url ?? '',
        token: address.token ? HIDDEN : '',
        redis_url: redactUrl(address.redisUrl),
        file: address.path,
      };
      const text = formatTable(['NAME', 'VALUE'], Object.entries(shown));
      await printResult(out, output, { value: shown, names: [address.cell], text });
    });
}

async function showAll({ deps, out }: Context, output: Format): Promise<void> {
  const rows = (await deps.contexts()).map(({ cell, url = '', redis_url: secret = '' }) => {
    const redis_url = redactUrl(secret);
    return { name: cell, value: { cell, url, redis_url }, cells: [cell, url, redis_url] };
  });
  return printListing(out, output, { columns: ['CELL', 'URL', 'REDIS_URL'], rows });
}

const unknown = (path: string) =>
  new Fault(
    'not_found',
    `There is no token in ${path}: no manager of this cell has been started here. Start one with \`npm start\` or \`wm serve\`, or set WM_TOKEN.`,
  );
