import { Command, Option } from 'commander';
import { Fault } from '../model/index.ts';
import { HIDDEN, redactUrl } from '../telemetry/redact.ts';
import type { Context } from './context.ts';
import { outputOption } from './output.ts';
import { formatTable } from './table.ts';

/** `context`: shows how the command line of this machine connects to the manager of the cell. */
export function contextCommand({ deps, out }: Context): Command {
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
    .action(async ({ token, redisUrl, output }: { token?: boolean; redisUrl?: boolean; output: string }) => {
      const context = deps.context();
      if (token && !context.token) throw unknown(context.path);
      if (token) return out.line(context.token ?? '');
      if (redisUrl) return out.line(context.redisUrl);
      const shown = {
        cell: context.cell,
        url: context.url ?? '',
        token: context.token ? HIDDEN : '',
        redis_url: redactUrl(context.redisUrl),
        file: context.path,
      };
      if (output === 'json') return out.json(shown);
      await out.line(formatTable(['NAME', 'VALUE'], Object.entries(shown)));
    });
}

const unknown = (path: string) =>
  new Fault(
    'not_found',
    `There is no token in ${path}: no manager of this cell has been started here. Start one with \`npm start\` or \`wm serve\`, or set WM_TOKEN.`,
  );
