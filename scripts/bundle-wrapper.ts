/**
 * Bundles the wrapper and all that it needs into one file, which every body runs: `node scripts/bundle-wrapper.ts`.
 *
 * What the wrapper imports by `await import(…)` stands in the same file and is evaluated at its first use: the protocol
 * SDK and its zod cost the start of a body that does not speak it nothing but the reading.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');
const PATH = join(ROOT, 'dist', 'wrapper.mjs');

/**
 * Modules of Node that only some bodies, or only some moments, need: ioredis requires them at its top for TLS, scripts and
 * Sentinel, and ours import them for the gateway and the archive of a conversation. Loading them is a quarter of the
 * wrapper's start, so the bundle loads each at its first use.
 */
const LAZY = /^(node:)?(tls|crypto|assert|dns|http|https|zlib|child_process)$/;

const loadLate: Plugin = {
  name: 'load-late',
  setup(on) {
    on.onResolve({ filter: LAZY }, ({ path }) => ({ path: path.replace(/^node:/, ''), namespace: 'late' }));
    // Getters by name, and no Proxy: an import of single names copies the names that it finds.
    on.onLoad({ filter: LAZY, namespace: 'late' }, ({ path }) => ({
      contents: `const load = () => process.getBuiltinModule('node:${path}');
module.exports = ${CALLABLE.has(path) ? '(...args) => load()(...args)' : '{}'};
for (const name of ${JSON.stringify(namesOf(path))})
  Object.defineProperty(module.exports, name, { get: () => load()[name], enumerable: true, configurable: true });`,
    }));
  },
};

/** A module of Node that is a function itself. */
const CALLABLE = new Set(['assert']);

function namesOf(module: string): string[] {
  return Object.keys(process.getBuiltinModule(`node:${module}`) ?? {});
}

/** The bundle, and what tells one bundle from another. */
export interface WrapperBundle {
  path: string;
  /** sha256 of the content, in hex. */
  hash: string;
}

/** Makes the bundle; the file is touched only where its content changes, and never seen half written. */
export async function bundleWrapper(): Promise<WrapperBundle> {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, 'worker-base', 'wrapper.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    minify: true,
    legalComments: 'none',
    plugins: [loadLate],
    // ioredis is CommonJS and asks for Node's own modules by require.
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  });
  const content = outputFiles[0]?.contents ?? new Uint8Array();
  const hash = createHash('sha256').update(content).digest('hex');
  const there = await readFile(PATH).catch(() => undefined);
  if (!there?.equals(content)) {
    await mkdir(join(ROOT, 'dist'), { recursive: true });
    const draft = `${PATH}.${process.pid}`;
    await writeFile(draft, content);
    await rename(draft, PATH);
  }
  return { path: PATH, hash };
}

if (import.meta.main) {
  const { path, hash } = await bundleWrapper();
  console.log(`${path} ${hash}`);
}
