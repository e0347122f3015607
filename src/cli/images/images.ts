/** `wm images`: lists, shows, builds and garbage-collects worker images. */
import { Command, Option } from 'commander';
import type { Collector } from '../../images/gc.ts';
import { toImageViews } from '../../images/image-view.ts';
import { imageName, machineCa, renderDockerfile, writeBuildContext } from '../../images/index.ts';
import {
  AGENT_TYPES,
  formatSize,
  IMAGE_RUNTIME,
  MODULES,
  type WorkerSpec,
  workerSpec,
} from '../../model/index.ts';
import { requestJson, requireApi, toWorkerPath } from '../api/door-api.ts';
import type { Context } from '../context.ts';
import { usageError } from '../exit.ts';
import { printListing, printResult } from '../print/listing.ts';
import { type Format, outputOption } from '../print/output.ts';
import { formatAgeSince, shortId } from '../print/text.ts';
import { addItem, readText } from '../values.ts';
import { createProgressBar } from './images-progress.ts';

const COLUMNS = ['IMAGE', 'AGENT', 'MODULES', 'SIZE', 'CREATED', 'LAST USED', 'USED BY'];

interface BuildOptions {
  agentType: string;
  agentVersion?: string;
  module?: string[];
  requirements?: string;
  package?: string[];
  locked?: boolean;
  print?: boolean;
  directory?: string;
  output: Format;
}

export function imagesCommand(context: Context): Command {
  const group = new Command('images').summary('list, show, build and clean up worker images');
  const verbs = [lsCommand(context), buildCommand(context), dockerfileCommand(context), gcCommand(context)];
  for (const verb of verbs) group.addCommand(verb);
  return group;
}

function lsCommand(context: Context): Command {
  return new Command('ls')
    .summary('list images')
    .description('List worker images and the workers that use them.')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm images ls')
    .action(({ output }: { output: Format }) => ls(context, output));
}

function buildCommand(context: Context): Command {
  const agent = new Option('--agent-type <type>', 'agent type').choices(AGENT_TYPES);
  return new Command('build')
    .summary('build an image or print its Dockerfile')
    .description('Build a worker image and print its name. An existing image is not rebuilt.')
    .addOption(agent.makeOptionMandatory())
    .option('--agent-version <version>', "version of the agent's CLI (default: the pinned one)")
    .option('--module <module>', `tool in the image, one of ${MODULES.join(', ')}; repeatable`, addItem)
    .option('--requirements <file>', 'requirements file of Python packages', readText)
    .option('--package <name>', 'Debian package; repeatable', addItem)
    .option('--locked', 'for workers with allowed_commands')
    .option('--print', 'print the Dockerfile and exit')
    .option('--directory <folder>', 'write the build context for `docker build` and exit')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm images build --agent-type CLAUDE --module GIT')
    .action((options: BuildOptions) => build(context, options));
}

function dockerfileCommand(context: Context): Command {
  return new Command('dockerfile')
    .summary("print the Dockerfile of a worker's image")
    .description('Print the Dockerfile of the image that the manager builds for a worker.')
    .argument('<id>', 'worker ID, unique ID prefix, or name')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm images dockerfile fix')
    .action(async (ref: string, { output }: { output: Format }) => {
      const api = requireApi(context);
      const path = `${await toWorkerPath(api, ref)}/dockerfile`;
      const value = await requestJson<{ image: string; dockerfile: string }>(api, { method: 'GET', path });
      const text = value.dockerfile.trimEnd();
      await printResult(context.out, output, { value, names: [value.image], text });
    });
}

function gcCommand(context: Context): Command {
  return new Command('gc')
    .summary('remove unused images')
    .description(
      'Remove images that have not been used for IMAGE_RETENTION_DAYS, and the least recently used images above IMAGE_BUDGET. ' +
        'An image with another tag than worker:<hash> is kept: use `docker tag` to keep an image.',
    )
    .option('--dry-run', 'show what would be removed')
    .addOption(outputOption())
    .addHelpText('after', '\nExample:\n  $ wm images gc --dry-run')
    .action((options: { dryRun?: boolean; output: Format }) => gc(context, options));
}

async function ls(context: Context, output: Format): Promise<void> {
  const { out, now } = context;
  const images = toImageViews(await withCollector(context, (collector) => collector.list()));
  const rows = images.map((image) => {
    const { name, agent_type, modules, size_bytes, created_at, last_used_at, used_by } = image;
    return {
      name,
      value: image,
      cells: [
        name,
        agent_type,
        modules.join(','),
        formatSize(size_bytes),
        formatAgeSince(created_at, now()),
        last_used_at === undefined ? '' : formatAgeSince(last_used_at, now()),
        used_by.map(shortId).join(','),
      ],
    };
  });
  await printListing(out, output, { columns: COLUMNS, rows });
}

async function build(context: Context, options: BuildOptions): Promise<void> {
  const { out, deps } = context;
  const spec = toSpec(options);
  const settings = await deps.settings();
  const images = (await deps.components(settings)).images();
  try {
    const print = (image: string, value: object, text: string) =>
      printResult(out, options.output, { value: { image, ...value }, names: [image], text });
    if (options.print || options.directory !== undefined) {
      const recipe = await images.recipe(spec);
      const [image, dockerfile] = [imageName(recipe), renderDockerfile(recipe)];
      if (options.print) return await print(image, { dockerfile }, dockerfile.trimEnd());
      const { directory = '.' } = options;
      await writeBuildContext(recipe, directory, { ca: settings.workerBuildCa ?? machineCa() });
      return await print(image, { directory }, `docker build -t ${image} ${directory}`);
    }
    const progress = createProgressBar(deps.stderr);
    const name = await images.buildNow(spec, progress.show).finally(progress.end);
    await print(name, {}, name);
  } finally {
    await images.close();
  }
}

/** The option that sets the field of an issue. */
const OPTIONS: Record<string, string> = {
  agent_version: '--agent-version',
  requirements: '--requirements',
  packages: '--package',
};

function toSpec(options: BuildOptions): WorkerSpec {
  const { agentType, agentVersion, module = [], requirements, package: packages, locked } = options;
  const read = workerSpec.safeParse({
    agent_type: agentType,
    runtime: IMAGE_RUNTIME,
    modules: module.flatMap((text) => text.split(',')).map((name) => name.trim().toUpperCase()),
    ...(agentVersion === undefined ? {} : { agent_version: agentVersion }),
    ...(requirements === undefined ? {} : { requirements }),
    ...(packages === undefined ? {} : { packages }),
    ...(locked ? { allowed_commands: [] } : {}),
    ...(agentType === 'CUSTOM' ? { command_line: ['true'] } : {}),
  });
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const option = OPTIONS[String(issue?.path[0])] ?? '--module';
  throw usageError(`${option}: ${issue?.message ?? 'is invalid'}.`);
}

async function gc(context: Context, options: { dryRun?: boolean; output: Format }): Promise<void> {
  const { out } = context;
  const done = await withCollector(context, (it) => it.collect({ dryRun: options.dryRun ?? false }));
  const would = done.dry_run ? 'would be ' : '';
  const lines = done.removed.map(({ name, why }) => `${name}   ${would}removed: ${why}`);
  lines.push(...done.skipped.map(({ name, why }) => `${name}   stays: ${why}`));
  if (done.leftovers_removed > 0) lines.push(`${done.leftovers_removed} leftovers of builds ${would}removed`);
  const freed = formatSize(done.freed_bytes + done.cache_freed_bytes);
  lines.push(`${freed} ${would}freed; ${done.images} images with ${formatSize(done.image_bytes)} remain.`);
  const names = done.removed.map(({ name }) => name);
  await printResult(out, options.output, { value: done, names, text: lines.join('\n') });
}

/** With the record of image uses, which is necessary to know whether an image is used. */
async function withCollector<T>(context: Context, act: (collector: Collector) => Promise<T>): Promise<T> {
  const { redis, settings } = await context.session();
  const collector = (await context.deps.components(settings)).collector(redis);
  try {
    return await act(collector);
  } finally {
    collector.close();
  }
}
