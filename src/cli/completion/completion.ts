/** `wm completion`: completion of verbs, options and names for shells. */
import { Command } from 'commander';
import type { Context } from '../context.ts';
import { type Candidates, findCandidates, verbWords } from './candidates.ts';
import { COMPLETION_SCRIPTS, INSTALL, SHELLS } from './scripts.ts';

/** A key press must not wait longer. */
const PATIENCE_MS = 1500;
/** Length of an ID in tables. */
const SHORT = 12;
/** Number of workers that are offered by their IDs. */
const IDS = 100;

/** Loads the verb of that name, or all verbs. */
type LoadVerbs = (context: Context, word: string | undefined) => Promise<{ command: Command }[]>;

export function completionCommand(context: Context, loadVerbs: LoadVerbs): Command {
  const group = new Command('completion')
    .summary('print a completion script for a shell')
    .description('Print a script that completes verbs, options, and names of workers and pools.');
  for (const shell of SHELLS)
    group.addCommand(
      new Command(shell)
        .summary(`for ${shell}`)
        .description(`Print the completion script for ${shell}.`)
        .addHelpText('after', `\nExamples:\n${INSTALL[shell]}`)
        .action(() => context.out.bytes(COMPLETION_SCRIPTS[shell])),
    );
  const words = new Command('words')
    .description('Print the candidates for the last word of a command line, each with its description.')
    .argument('[words...]', 'the words after `wm`')
    .action((line: string[]) => printCandidates(context, loadVerbs, line));
  return group.addCommand(words, { hidden: true });
}

/** Prints nothing if something fails: an error would be shown in the middle of the line that is being typed. */
async function printCandidates(context: Context, loadVerbs: LoadVerbs, line: string[]): Promise<void> {
  const current = line.at(-1) ?? '';
  const prefix = /^--[\w-]+=/.exec(current)?.[0] ?? '';
  const { words, names } = await findLineCandidates(context, loadVerbs, line);
  const found = names.length > 0 ? await findNames(context, names, current.slice(prefix.length)) : [];
  const named = found.map((name) => ({ value: `${prefix}${name}`, description: '' }));
  const matching = [...words, ...named].filter(({ value }) => value.startsWith(current));
  if (matching.length === 0) return;
  await context.out.line(matching.map(({ value, description }) => `${value}\t${description}`).join('\n'));
}

async function findLineCandidates(
  context: Context,
  loadVerbs: LoadVerbs,
  line: string[],
): Promise<Candidates> {
  const [verb = '', ...rest] = line;
  const commands = (await loadVerbs(context, rest.length === 0 ? undefined : verb)).map(
    ({ command }) => command,
  );
  if (rest.length === 0) return { words: verbWords(commands), names: [] };
  const command = commands.find((one) => one.name() === verb || one.aliases().includes(verb));
  return command ? findCandidates(command, rest) : { words: [], names: [] };
}

/** Names of workers and pools, as far as the store answers in time. */
async function findNames(context: Context, kinds: Candidates['names'], current: string): Promise<string[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string[]>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, []);
  });
  try {
    return await Promise.race([readNames(context, kinds, current), late]);
  } catch {
    return [];
  } finally {
    clearTimeout(timer);
  }
}

async function readNames(context: Context, kinds: Candidates['names'], current: string): Promise<string[]> {
  const { redis, store } = await context.session();
  const { names, pools } = store.keys;
  const found: string[] = [];
  if (kinds.includes('worker')) {
    const ids = (await store.ids()).filter((id) => id.startsWith(current.toLowerCase())).slice(-IDS);
    found.push(
      ...(await redis.hkeys(names)),
      ...ids.map((id) => id.slice(0, Math.max(SHORT, current.length))),
    );
  }
  const pool = kinds.includes('pool/') ? 'pool/' : kinds.includes('pool') ? '' : undefined;
  if (pool !== undefined)
    found.push(...(await redis.zrange(pools.pools, '0', '-1')).map((name) => `${pool}${name}`));
  return found.sort();
}
