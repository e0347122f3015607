/** `wm changes` and `export`: what a worker has done to its files, and the files themselves. */
import { open, rm } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { Command, Option } from 'commander';
import { Fault } from '../../model/values/fault.ts';
import { printable } from '../../telemetry/printable.ts';
import { callApi, checkpointOf, download } from '../api/checkpoint-api.ts';
import { requireApi, toWorkerPath } from '../api/door-api.ts';
import type { Context } from '../context.ts';
import { usageError } from '../exit.ts';

const EXPORTS = ['tar', 'git-bundle', 'patch'] as const;

export function changesCommands(context: Context): Command[] {
  return [
    new Command('changes')
      .summary("show what has changed in a worker's workspace")
      .description(
        'Show what has changed in the workspace of a running worker since it was filled with --git or from a checkpoint, or since HEAD if it was not: as git diff, with untracked files. The worker needs git.',
      )
      .argument('<id>', 'worker ID, unique ID prefix, or name')
      .addOption(new Option('--since <state>', 'since the start or since HEAD').choices(['start', 'head']))
      .option('--stat', 'show statistics only')
      .option('--names', 'show the names of the files only')
      .addHelpText('after', '\nExamples:\n  $ wm changes fix --stat\n  $ wm changes fix | git apply')
      .action((ref: string, options: ChangesOptions) => changes(context, ref, options)),
    new Command('export')
      .summary("write a worker's files to a file or to standard output")
      .description(
        'Write the files of a worker as a tar; of one that has ended or was deleted, or with checkpoint/ID, those of a checkpoint. Or write its git repository as a bundle, or its changes as a patch.',
      )
      .argument('<id>', 'worker ID, unique ID prefix or name, or checkpoint/ID')
      .addOption(new Option('--format <format>', 'what to write').choices(EXPORTS).default('tar'))
      .option('-f, --file <path>', 'file to write to, instead of standard output')
      .addHelpText(
        'after',
        '\nExamples:\n  $ wm export fix | tar x -C copy\n  $ wm export fix --format git-bundle -f fix.bundle && git clone fix.bundle',
      )
      .action((ref: string, options: ExportOptions) => exportFiles(context, ref, options)),
  ];
}

interface ChangesOptions {
  since?: string;
  stat?: boolean;
  names?: boolean;
}

async function changes(context: Context, ref: string, options: ChangesOptions): Promise<void> {
  const { since = 'start', stat, names } = options;
  if (stat && names) throw usageError('Use --stat or --names, not both.');
  const api = requireApi(context);
  const format = stat ? 'stat' : names ? 'names' : 'patch';
  const path = `${await toWorkerPath(api, ref)}/changes?since=${since}&format=${format}`;
  await download(api, path, toOutput(context));
}

interface ExportOptions {
  format: (typeof EXPORTS)[number];
  file?: string;
}

async function exportFiles(context: Context, ref: string, { format, file }: ExportOptions): Promise<void> {
  if (file === undefined && context.out.isTerminal && format !== 'patch')
    throw usageError('The files are not written to a terminal. Use --file, or redirect the output.');
  const api = requireApi(context);
  const to = file === undefined ? toOutput(context) : await createFile(file);
  try {
    if (format !== 'tar') {
      const kind = format === 'patch' ? 'patch' : 'bundle';
      await download(api, `${await toWorkerPath(api, ref)}/changes?format=${kind}`, to);
      return;
    }
    const { checkpoint, taken } = await checkpointOf(api, ref);
    const { checkpoint_id, created_at, format: compression } = checkpoint;
    if (!taken)
      context.out.note(`note: these are the files of the checkpoint ${checkpoint_id} of ${created_at}.`);
    try {
      const { createDecompressor } = await import('../../model/worker/decompress-archive.ts');
      await download(
        api,
        `/v1/checkpoints/${checkpoint_id}/archive`,
        createDecompressor(compression, 'This Node'),
        to,
      );
    } finally {
      if (taken) await callApi(api, 'DELETE', `/v1/checkpoints/${checkpoint_id}`).catch(() => {});
    }
  } catch (error) {
    // A part is never taken for the whole.
    if (file !== undefined) await rm(file, { force: true });
    throw error;
  }
}

/** A new file; throws a Fault if it cannot be made, and leaves one that exists alone. */
async function createFile(path: string): Promise<Writable> {
  try {
    return (await open(path, 'wx')).createWriteStream();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'EEXIST' ? 'exists already' : `cannot be written here: ${message.split(',')[0]}`;
    throw new Fault('conflict', `${path} ${why}.`, { cause });
  }
}

/** Standard output; a terminal gets no control characters of files. */
function toOutput({ out }: Context): Writable {
  const decoder = new TextDecoder();
  return new Writable({
    write(part: Buffer, _encoding, done) {
      const text = out.isTerminal ? printable(decoder.decode(part, { stream: true })) : part;
      out.bytes(text).then(() => done(), done);
    },
  });
}
