/**
 * Builds what the npm package contains: `node scripts/bundle-package.ts`, which `npm pack` runs as `prepack`.
 *
 * Node runs no TypeScript under `node_modules`, so the package contains JavaScript: `dist/lib/` is the program and the
 * SDK with its types, `dist/page/` the page at `/`, `dist/wrapper.mjs` the program in every body. Modules that are imported with `await import(…)` are
 * separate chunks, so that a verb loads its own part only. Other files that the program reads, such as the Lua scripts,
 * are in the package at their path in the repository; `files` in package.json lists them.
 */
import { glob, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { type OutputChunk, type OutputOptions, type Plugin, rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { bundlePage } from './bundle-page.ts';
import { bundleWrapper } from './bundle-wrapper.ts';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const LIB = join(DIST, 'lib');
const CLIENT = join(ROOT, 'src', 'client', 'index.ts');
const PROGRAM = join(ROOT, 'scripts', 'package-main.ts');
const MAIN = join(ROOT, 'src', 'main.ts');

/**
 * Packages in the bundle, because short verbs load them: one file loads several times faster than the hundred files of
 * a package. All others are loaded from `node_modules`, where audits and bills of materials see them.
 */
const BUNDLED = ['commander', 'croner', 'zod'];

/** The modules that `wm ps` starts with. */
const SHORTEST = [MAIN, join(ROOT, 'src', 'cli', 'workers', 'ps.ts')];

/** A module that a thread runs is an entry of its own, found by this expression. */
const THREAD = /new URL\('\.\/([\w-]+)\.ts', import\.meta\.url\)/g;

/** Messages of zod are in English; its other languages are half of the package. */
const LANGUAGES = /zod[/\\]v4[/\\]locales[/\\]index\.js$/;
const ENGLISH = "export { default as en } from './en.js';";

/** Our TypeScript, and the packages that are part of the bundle. */
const sources: Plugin = {
  name: 'sources',
  resolveId(source, importer) {
    if (importer === undefined) return source;
    if (source.startsWith('.')) return join(dirname(importer), source);
    const [name = ''] = source.split('/');
    const bundled = BUNDLED.includes(name);
    return bundled ? fileURLToPath(import.meta.resolve(source)) : { id: source, external: true };
  },
  load: (id) => (LANGUAGES.test(id) ? ENGLISH : null),
  async transform(text, id) {
    if (!id.endsWith('.ts')) return null;
    return (await transform(keepPaths(text, id), { loader: 'ts', target: 'node22' })).code;
  },
  async renderChunk(code) {
    // Names stay as they are, and lines short: Node prints the line of an error that nothing catches.
    const options = {
      minifySyntax: true,
      minifyWhitespace: true,
      lineLimit: 120,
      legalComments: 'none',
    } as const;
    return (await transform(code, options)).code;
  },
};

/** Modules find other files relative to their path in the repository, from the bundle too. */
function keepPaths(text: string, path: string): string {
  const original = `new URL(${JSON.stringify(relative(LIB, path))}, import.meta.url).href`;
  // Every second part is the name of a thread's module, which is in the folder of the bundle.
  return text
    .split(THREAD)
    .map((part, at) =>
      at % 2 === 1
        ? `new URL('./${part}.js', import.meta.url)`
        : part.replaceAll('import.meta.url', original),
    )
    .join('');
}

/** The modules that threads run, by name. */
async function findThreads(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const file of glob('src/**/*.ts', { cwd: ROOT })) {
    const text = await readFile(join(ROOT, file), 'utf8');
    for (const [, name = ''] of text.matchAll(THREAD)) found[name] = join(ROOT, dirname(file), `${name}.ts`);
  }
  return found;
}

async function bundleLib(): Promise<void> {
  const input = { wm: PROGRAM, client: CLIENT, ...(await findThreads()) };
  const acting = new Set([MAIN, ...Object.values(input)]);
  const bundle = await rollup({
    input,
    plugins: [sources],
    // Loading any other module of this project does nothing, so those without a used export are left out.
    treeshake: { moduleSideEffects: (id) => acting.has(id) },
    // Its warnings are about comments in packages; a missing export is an error.
    logLevel: 'silent',
  });
  const options: OutputOptions = { dir: LIB, format: 'es', onlyExplicitManualChunks: true };
  const { output } = await bundle.generate(options);
  const core = findLoaded(output.filter((file) => file.type === 'chunk'));
  await rm(LIB, { recursive: true, force: true });
  // One file loads faster than twenty small ones.
  await bundle.write({ ...options, manualChunks: (id) => (core.has(id) ? 'core' : undefined) });
  await bundle.close();
}

/** The modules that `wm ps` loads, without those that act when they are loaded. */
function findLoaded(chunks: OutputChunk[]): Set<string> {
  const loaded = new Set(chunks.filter(({ moduleIds }) => SHORTEST.some((id) => moduleIds.includes(id))));
  // The set grows while it is iterated.
  for (const { imports } of loaded)
    for (const chunk of chunks) if (imports.includes(chunk.fileName)) loaded.add(chunk);
  return new Set([...loaded].flatMap(({ moduleIds }) => moduleIds).filter((id) => id !== MAIN));
}

/** One file with all types that the SDK exports. */
async function bundleTypes(): Promise<void> {
  const plugins = [dts({ tsconfig: join(ROOT, 'tsconfig.json') })];
  const bundle = await rollup({ input: CLIENT, plugins });
  await bundle.write({ file: join(LIB, 'client.d.ts'), format: 'es' });
  await bundle.close();
}

/** Chunks of older wrappers, which a body may still load here, are no part of the package. */
async function ignoreOldChunks(): Promise<void> {
  const current = new Set(JSON.parse(await readFile(join(DIST, 'wrapper.json'), 'utf8')) as string[]);
  const old = (await readdir(DIST)).filter((name) => name.endsWith('.mjs') && !current.has(name));
  await writeFile(join(DIST, '.npmignore'), old.map((name) => `/${name}\n`).join(''));
}

await bundleWrapper();
await bundlePage();
await ignoreOldChunks();
await bundleLib();
await bundleTypes();
