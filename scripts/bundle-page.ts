/**
 * Bundles the page at `/` into `dist/page/`, as part of `npm run build` and of the npm package.
 *
 * The names of the bundle's files contain the hash of their content, so that browsers can keep them. The libraries in it are
 * development packages: an installed manager has complete files.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { build, type Metafile } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');
const PAGE = join(ROOT, 'page');
/** The folder that the manager serves. */
const PAGE_DIST = join(ROOT, 'dist', 'page');
const PACKAGE = /^node_modules\/((?:@[^/]+\/)?[^/]+)\//;

/** Builds the page; files of older builds are removed. */
export async function bundlePage(): Promise<void> {
  const { outputFiles, metafile } = await build({
    entryPoints: { main: join(PAGE, 'main.tsx') },
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    absWorkingDir: ROOT,
    outdir: PAGE_DIST,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    platform: 'browser',
    target: ['chrome123', 'firefox121', 'safari17.5'],
    format: 'esm',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    legalComments: 'none',
  });
  const files = new Map<string, Uint8Array | string>();
  for (const { path, contents } of outputFiles) files.set(relative(PAGE_DIST, path), contents);
  const icon = await readFile(join(PAGE, 'icon.svg'));
  const iconName = `icon-${createHash('sha256').update(icon).digest('hex').slice(0, 8)}.svg`;
  files.set(iconName, icon);
  files.set('licenses.txt', await collectLicenses(metafile));
  files.set('index.html', await renderIndex([...files.keys()], iconName));
  await mkdir(PAGE_DIST, { recursive: true });
  for (const [name, content] of files) await writeFile(join(PAGE_DIST, name), content);
  for (const name of await readdir(PAGE_DIST))
    if (!files.has(name)) await rm(join(PAGE_DIST, name), { recursive: true });
}

/** The document with the names of the bundle's files. */
async function renderIndex(names: string[], icon: string): Promise<string> {
  const find = (pattern: RegExp) => {
    const name = names.find((one) => pattern.test(one));
    if (name === undefined) throw new Error(`The bundle of the page has no file like ${pattern}.`);
    return name;
  };
  const text = await readFile(join(PAGE, 'index.html'), 'utf8');
  return text
    .replace('page/main.css', `page/${find(/^main-\w+\.css$/)}`)
    .replace('page/main.js', `page/${find(/^main-\w+\.js$/)}`)
    .replace('page/icon.svg', `page/${icon}`);
}

/** The licenses of the packages in the bundle, which must be distributed with it. */
async function collectLicenses({ inputs }: Metafile): Promise<string> {
  const folders = new Set<string>();
  for (const path of Object.keys(inputs)) {
    const name = PACKAGE.exec(path)?.[1];
    if (name !== undefined) folders.add(join(ROOT, 'node_modules', name));
  }
  const texts = [...folders].sort().map(async (folder) => {
    const { name, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    const file = (await readdir(folder)).find((one) => /^licen[cs]e/i.test(one));
    if (file === undefined) throw new Error(`${folder} has no license file.`);
    return `${name} ${version}\n\n${(await readFile(join(folder, file), 'utf8')).trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${'-'.repeat(72)}\n\n`);
}
