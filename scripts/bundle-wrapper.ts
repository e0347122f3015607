/**
 * Bundles the wrapper and its dependencies into one folder, from which every body runs: `node
 * scripts/bundle-wrapper.ts`.
 *
 * Every body loads `dist/wrapper.mjs`. Modules that the wrapper imports with `await import(…)` are separate chunks,
 * each loaded on first use: the queue's client alone would double the start time of a body without tasks. `dist/files.mjs` is the
 * program that accesses files for clients. The programs
 * that run handlers are copied to `dist/runner/`, the addons for terminals beside the wrapper, and `dist/wrapper.json` lists all files of the bundle.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { mergeChunks } from './merge-chunks.ts';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const RUNNER = join(ROOT, 'worker-base', 'tasks', 'handlers', 'runner');
/** zigpty's addons for terminals; a body may have another system than the manager. */
const ADDONS = join(dirname(createRequire(import.meta.url).resolve('zigpty')), '..', 'prebuilds');
const ADDON = /^zigpty\.(linux|darwin)-(x64|arm64)(-musl)?\.node$/;
/** The names of esbuild's chunks. */
const PART = /-[A-Z0-9]{8}\.mjs$/;
/** How long a chunk is kept after the last bundle that used it, in milliseconds. */
const OLD_MS = 86_400_000;

/**
 * Node modules that only some bodies or situations need: ioredis requires them at its top level for TLS, scripts and
 * Sentinel, and the wrapper imports them for the proxy and the archive of a conversation. Loading them is a quarter of
 * the wrapper's start, so the bundle loads each on first use.
 */
const LAZY = /^(node:)?(tls|crypto|assert|dns|http|https|zlib|child_process)$/;

const loadLate: Plugin = {
  name: 'load-late',
  setup(on) {
    on.onResolve({ filter: LAZY }, ({ path, kind }) => {
      const name = path.replace(/^node:/, '');
      // `await import(…)` is already lazy; such a chunk would only have a default export.
      return kind === 'dynamic-import'
        ? { path: `node:${name}`, external: true }
        : { path: name, namespace: 'late' };
    });
    // Getters by name instead of a Proxy, because a named import copies the names that exist.
    on.onLoad({ filter: LAZY, namespace: 'late' }, ({ path }) => ({
      contents: `const load = () => process.getBuiltinModule('node:${path}');
module.exports = ${CALLABLE.has(path) ? '(...args) => load()(...args)' : '{}'};
for (const name of ${JSON.stringify(listExports(path))})
  Object.defineProperty(module.exports, name, { get: () => load()[name], enumerable: true, configurable: true });`,
    }));
  },
};

/**
 * All other modules of Node are loaded at the start, but not with an `import` that stays in the bundle: for it, Node evaluates every export of
 * the module, such as the streams of `node:fs`, which is a tenth of the start.
 */
const loadDirectly: Plugin = {
  name: 'load-directly',
  setup(on) {
    on.onResolve({ filter: /^node:/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path, namespace: 'direct', sideEffects: false } : undefined,
    );
    // The exports that nothing imports are dropped, because a call that is marked as pure has no effect.
    on.onLoad({ filter: /.*/, namespace: 'direct' }, ({ path }) => ({
      contents: [
        `const $module = process.getBuiltinModule('${path}');`,
        'const $get = (name) => $module[name];',
        'export default $module;',
        ...listExports(path.slice('node:'.length))
          .filter((name) => /^[a-z_]\w*$/i.test(name) && name !== 'default')
          .map((name) => `export const ${name} = /* @__PURE__ */ $get('${name}');`),
      ].join('\n'),
    }));
  },
};

/**
 * Of ioredis, the wrapper needs the client of one server: its clusters, a sixth of what a start would parse, are left out. Packages that
 * others look for and can do without are not looked for.
 */
const leaveOut: Plugin = {
  name: 'leave-out',
  setup(on) {
    on.onLoad({ filter: /[\\/]ioredis[\\/]built[\\/]cluster[\\/]index\.js$/ }, () => ({
      contents: 'exports.default = class Cluster {};',
    }));
    on.onResolve({ filter: OPTIONAL }, ({ path }) => ({ path, namespace: 'left-out' }));
    on.onLoad({ filter: OPTIONAL, namespace: 'left-out' }, ({ path }) => ({
      contents: `throw new Error('${path} is not in the bundle');`,
    }));
  },
};
/** ioredis and ws use them if they are installed, as some are beside development packages: the bundle would depend on that. */
const OPTIONAL = /^(supports-color|bufferutil|utf-8-validate)$/;

const BULLMQ = dirname(createRequire(import.meta.url).resolve('bullmq/package.json'));

/**
 * A worker needs BullMQ's backend for Redis and none of its queues, workers and other stores. Its package does not declare
 * that its modules have no side effects, so without this all of it would be in the bundle, and loaded at each start.
 */
const shakeBullmq: Plugin = {
  name: 'shake-bullmq',
  async setup(on) {
    const { module } = JSON.parse(await readFile(join(BULLMQ, 'package.json'), 'utf8'));
    const sideEffects = false;
    on.onResolve({ filter: /^bullmq$/ }, () => ({ path: join(BULLMQ, module), sideEffects }));
    on.onResolve({ filter: /^\./ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === shakeBullmq || !from.importer.startsWith(BULLMQ)) return undefined;
      return { ...(await on.resolve(path, { ...from, pluginData: shakeBullmq })), sideEffects };
    });
  },
};

/** A Node module that is itself a function. */
const CALLABLE = new Set(['assert']);

function listExports(module: string): string[] {
  return Object.keys(process.getBuiltinModule(`node:${module}`) ?? {});
}

/** The bundle and its hash. */
export interface WrapperBundle {
  path: string;
  /** sha256 of the content, in hex. */
  hash: string;
}

/** Programs that the wrapper starts. */
const PROGRAMS = {
  terminals: join('worker-base', 'terminal', 'host.ts'),
  files: join('worker-base', 'files', 'helper', 'main.ts'),
};

const OPTIONS = {
  bundle: true,
  splitting: true,
  write: false,
  outdir: DIST,
  outExtension: { '.js': '.mjs' },
  chunkNames: '[name]-[hash]',
  platform: 'node',
  target: 'node22',
  format: 'esm',
  minify: true,
  legalComments: 'none',
  plugins: [loadLate, loadDirectly, leaveOut, shakeBullmq],
  // ioredis is CommonJS and requires Node's own modules.
  banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
} satisfies BuildOptions;

async function bundleMain(): Promise<Map<string, Buffer>> {
  const entryPoints = { wrapper: join(ROOT, 'worker-base', 'main.ts') };
  const bundle = await build({ ...OPTIONS, entryPoints, metafile: true });
  return mergeChunks('wrapper.mjs', bundle, OPTIONS);
}

/** Builds the bundle; a file is only written if its content changes, and atomically. */
export async function bundleWrapper(): Promise<WrapperBundle> {
  const files = await bundleMain();
  // Apart, so that they share no chunks with the wrapper.
  for (const [name, source] of Object.entries(PROGRAMS)) {
    const { outputFiles } = await build({ ...OPTIONS, entryPoints: { [name]: join(ROOT, source) } });
    for (const { path, contents } of outputFiles) files.set(relative(DIST, path), Buffer.from(contents));
  }
  for (const name of await readdir(RUNNER))
    if (/\.(py|mjs)$/.test(name)) files.set(join('runner', name), await readFile(join(RUNNER, name)));
  for (const name of await readdir(ADDONS))
    if (ADDON.test(name)) files.set(name, await readFile(join(ADDONS, name)));
  const hash = createHash('sha256');
  for (const [name, content] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${name}\0${content.length}\0`).update(content);
    await put(join(DIST, name), content);
  }
  await put(join(DIST, 'wrapper.json'), Buffer.from(JSON.stringify([...files.keys()].sort())));
  await sweep(new Set(files.keys()));
  return { path: join(DIST, 'wrapper.mjs'), hash: hash.digest('hex') };
}

async function put(path: string, content: Buffer): Promise<void> {
  const current = await readFile(path).catch(() => undefined);
  if (current?.equals(content)) return;
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}`;
  await writeFile(draft, content);
  await rename(draft, path);
}

/** Chunks of older bundles are removed after a while, because a body that just started may still load one. */
async function sweep(kept: Set<string>): Promise<void> {
  for (const name of await readdir(DIST)) {
    const path = join(DIST, name);
    if (kept.has(name) || !PART.test(name)) continue;
    const stats = await stat(path).catch(() => undefined);
    if (stats && Date.now() - stats.mtimeMs > OLD_MS) await rm(path, { force: true });
  }
}

if (import.meta.main) {
  const { path, hash } = await bundleWrapper();
  console.log(`${path} ${hash}`);
}
