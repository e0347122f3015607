/**
 * Builds what the npm package contains: `node scripts/bundle-package.ts`, which `npm pack` runs as `prepack`.
 *
 * Node runs no TypeScript under `node_modules`, so the package contains JavaScript: `dist/lib/` is the program and the
 * SDK with its types, `dist/wrapper.mjs` the program in every body. Modules that are imported with `await import(…)` are
 * separate chunks, so that a verb loads its own part only. Other files that the program reads, such as the Lua scripts,
 * are in the package at their path in the repository; `files` in package.json lists them.
 */
import { glob, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { bundleWrapper } from './bundle-wrapper.ts';

const ROOT = join(import.meta.dirname, '..');
const DIST = join(ROOT, 'dist');
const LIB = join(DIST, 'lib');
const CLIENT = join(ROOT, 'src', 'client', 'index.ts');

/**
 * Packages in the bundle, because short verbs load them: one file loads several times faster than the hundred files of
 * a package. All others are loaded from `node_modules`, where audits and bills of materials see them.
 */
const BUNDLED = ['commander', 'croner', 'zod'];

/** A module that a thread runs is an entry of its own, found by this expression. */
const THREAD = /new URL\('\.\/([\w-]+)\.ts', import\.meta\.url\)/g;

/** Modules find other files relative to their path in the repository, from the bundle too. */
const keepPaths: Plugin = {
  name: 'keep-paths',
  setup(on) {
    on.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (!text.includes('import.meta.url')) return undefined;
      const original = `new URL(${JSON.stringify(relative(LIB, path))}, import.meta.url).href`;
      const parts = text.split(THREAD);
      // Every second part is the name of a thread's module, which is in the folder of the bundle.
      const contents = parts
        .map((part, at) =>
          at % 2 === 1
            ? `new URL('./${part}.js', import.meta.url)`
            : part.replaceAll('import.meta.url', original),
        )
        .join('');
      return { contents, loader: 'ts' };
    });
  },
};

/** Loading a module of this project does nothing, so a module that another only imports from is left out if unused. */
const withoutSideEffects: Plugin = {
  name: 'without-side-effects',
  setup(on) {
    on.onResolve({ filter: /^\.\.?\// }, async ({ path, pluginData, ...from }) => {
      if (pluginData === withoutSideEffects || from.importer.includes('node_modules')) return undefined;
      const resolved = await on.resolve(path, { ...from, pluginData: withoutSideEffects });
      return { ...resolved, sideEffects: from.kind === 'entry-point' };
    });
  },
};

/** Messages of zod are in English; its other languages are half of the package. */
const englishOnly: Plugin = {
  name: 'english-only',
  setup(on) {
    on.onLoad({ filter: /zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

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
  const { dependencies } = createRequire(import.meta.url)('../package.json') as {
    dependencies: Record<string, string>;
  };
  await rm(LIB, { recursive: true, force: true });
  await build({
    entryPoints: {
      wm: join(ROOT, 'scripts', 'package-main.ts'),
      client: CLIENT,
      ...(await findThreads()),
    },
    outdir: LIB,
    bundle: true,
    splitting: true,
    chunkNames: '[name]-[hash]',
    platform: 'node',
    target: 'node22',
    format: 'esm',
    minify: true,
    // Classes and functions keep their names in errors.
    keepNames: true,
    legalComments: 'none',
    external: Object.keys(dependencies).filter((name) => !BUNDLED.includes(name)),
    plugins: [keepPaths, withoutSideEffects, englishOnly],
  });
}

/** One file with all types that the SDK exports. */
async function bundleTypes(): Promise<void> {
  const bundle = await rollup({
    input: CLIENT,
    plugins: [dts({ tsconfig: join(ROOT, 'tsconfig.json') })],
    onwarn(warning) {
      throw new Error(`The types of the SDK cannot be bundled: ${warning.message}`);
    },
  });
  await bundle.write({ file: join(LIB, 'client.d.ts'), format: 'es' });
  await bundle.close();
}

/** Chunks of older wrappers, which a body may still load here, are no part of the package. */
async function ignoreOldChunks(): Promise<void> {
  const current = new Set(JSON.parse(await readFile(join(DIST, 'wrapper.json'), 'utf8')) as string[]);
  const old = (await readdir(DIST)).filter((name) => name.endsWith('.mjs') && !current.has(name));
  await writeFile(join(DIST, '.npmignore'), old.map((name) => `/${name}\n`).join(''));
}

await bundleWrapper().then(ignoreOldChunks);
await bundleLib();
await bundleTypes();
