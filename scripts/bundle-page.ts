/**
 * Bundles the page at `/` into `dist/page/`, as part of `npm run build` and of the npm package.
 *
 * The names of the bundle's files contain the hash of their content, so that browsers can keep them. The libraries in it are
 * development packages: an installed manager has complete files.
 */
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { build, type Metafile } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');
const PAGE = join(ROOT, 'page');
/** The folder that the manager serves. */
const PAGE_DIST = join(ROOT, 'dist', 'page');
/** `mkdtemp` creates a folder that only its owner can read. */
const FOLDER_MODE = 0o755;
/** In the build of the image, packages are links to another folder. */
const PACKAGE = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//;

/** Builds the page; files of older builds are removed. */
export async function bundlePage(target: string = PAGE_DIST): Promise<void> {
  const { outputFiles, metafile } = await build({
    entryPoints: { main: join(PAGE, 'main.tsx') },
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    absWorkingDir: ROOT,
    outdir: target,
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
  for (const { path, contents } of outputFiles) files.set(relative(target, path), contents);
  const icon = await readFile(join(PAGE, 'icon.svg'));
  const iconName = `icon-${createHash('sha256').update(icon).digest('hex').slice(0, 8)}.svg`;
  files.set(iconName, icon);
  files.set('licenses.txt', await collectLicenses(metafile));
  files.set('index.html', await renderIndex([...files.keys()], iconName));
  await replaceFolder(target, files);
}

/**
 * Replaces a folder by one with these files, unless it has them already. Another process may do the same at this moment, and a
 * third one may read: each sees files of one of them only. Only while a folder with other files is replaced, there
 * is none for an instant.
 */
export async function replaceFolder(
  target: string,
  files: ReadonlyMap<string, Uint8Array | string>,
): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const fresh = await mkdtemp(`${target}-`);
  const former = `${fresh}-former`;
  try {
    await chmod(fresh, FOLDER_MODE);
    for (const [name, content] of files) await writeFile(join(fresh, name), content);
    for (;;) {
      try {
        await rename(fresh, target);
        return;
      } catch (error) {
        const { code = '' } = error as NodeJS.ErrnoException;
        if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
      }
      if (await hasFiles(target, files)) return;
      await rename(target, former).catch((error: NodeJS.ErrnoException) => {
        // The other process has just moved it.
        if (error.code !== 'ENOENT') throw error;
      });
      await rm(former, { recursive: true, force: true });
    }
  } finally {
    for (const path of [fresh, former]) await rm(path, { recursive: true, force: true });
  }
}

/** Whether a folder has exactly these files. */
async function hasFiles(folder: string, files: ReadonlyMap<string, Uint8Array | string>): Promise<boolean> {
  const names = await readdir(folder).catch(() => []);
  if (names.length !== files.size) return false;
  const equal = names.map(async (name) => {
    const expected = files.get(name);
    const content = await readFile(join(folder, name)).catch(() => undefined);
    return expected !== undefined && content?.equals(Buffer.from(expected)) === true;
  });
  return (await Promise.all(equal)).every(Boolean);
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
