/**
 * Merges the chunks that a bundle loads at its start into one file. esbuild makes a chunk for each set of modules that the same
 * entries share, and each file costs a start a quarter of a millisecond: with thirty of them, a tenth of the wrapper's
 * boot.
 *
 * The merged file exports everything that the other files import from these chunks, under names that are unique, and their
 * imports are rewritten. All files but the entry are renamed by the content of the whole bundle, because a body that runs an older bundle must
 * not load a new file of it.
 */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild';

/** What esbuild writes for an import of a chunk, minified. */
const IMPORT = /import(?:\{([^}]*)\}from)?"\.\/([\w.-]+\.mjs)";?/g;

interface Chunk {
  name: string;
  exports: string[];
  imports: { name: string; isStatic: boolean }[];
}

/** Returns the files of the bundle, by name. `entry` is the name of the file that is started. */
export async function mergeChunks(
  entry: string,
  { outputFiles, metafile }: { outputFiles: { path: string; text: string }[]; metafile: Metafile },
  options: BuildOptions,
): Promise<Map<string, Buffer>> {
  const texts = new Map(outputFiles.map(({ path, text }) => [basename(path), text]));
  const chunks = readChunks(metafile);
  const first = listStatic(entry, chunks).filter((name) => name !== entry);
  const places = new Map(first.map((name, at) => [name, `c${at}_`]));
  const core = await bundleCore(first, texts, chunks, options);
  const merged = new Map([['core.mjs', core]]);
  for (const [name, text] of texts) if (!places.has(name)) merged.set(name, rewrite(text, places));
  return rename(entry, merged);
}

function readChunks({ outputs }: Metafile): Map<string, Chunk> {
  return new Map(
    Object.entries(outputs).map(([path, output]) => {
      const imports = output.imports.map(({ path: to, kind }) => ({
        name: basename(to),
        isStatic: kind === 'import-statement',
      }));
      const name = basename(path);
      return [name, { name, exports: output.exports, imports }];
    }),
  );
}

/** The file and all that it loads with it, in the order in which they are evaluated. */
function listStatic(entry: string, chunks: Map<string, Chunk>, found: string[] = []): string[] {
  const chunk = chunks.get(entry);
  if (!chunk || found.includes(entry)) return found;
  for (const { name, isStatic } of chunk.imports) if (isStatic) listStatic(name, chunks, found);
  if (!found.includes(entry)) found.push(entry);
  return found;
}

async function bundleCore(
  names: string[],
  texts: Map<string, string>,
  chunks: Map<string, Chunk>,
  options: BuildOptions,
): Promise<string> {
  const contents = names
    .map((name, at) => {
      const all = chunks.get(name)?.exports ?? [];
      const list = all.map((exported) => `${exported} as c${at}_${exported}`).join();
      return all.length > 0 ? `export {${list}} from "./${name}";` : `import "./${name}";`;
    })
    .join('\n');
  const fromMemory: Plugin = {
    name: 'from-memory',
    setup(on) {
      on.onResolve({ filter: /^\.\// }, ({ path, kind }) =>
        kind === 'dynamic-import' ? { path, external: true } : { path: basename(path), namespace: 'chunk' },
      );
      on.onLoad({ filter: /.*/, namespace: 'chunk' }, ({ path }) => ({ contents: texts.get(path) ?? '' }));
    },
  };
  const { outputFiles } = await build({
    ...options,
    stdin: { contents, loader: 'js' },
    plugins: [fromMemory],
    splitting: false,
    banner: {},
    write: false,
  });
  return outputFiles?.[0]?.text ?? '';
}

/** The text with imports of the merged file instead of those of the chunks in it. */
function rewrite(text: string, places: Map<string, string>): string {
  return text.replaceAll(IMPORT, (statement: string, list: string | undefined, name: string) => {
    const prefix = places.get(name);
    if (prefix === undefined) return statement;
    // The entry has loaded it.
    if (list === undefined) return '';
    return `import{${list
      .split(',')
      .map((item) => `${prefix}${item.includes(' as ') ? item : `${item} as ${item}`}`)
      .join()}}from"./core.mjs";`;
  });
}

function rename(entry: string, files: Map<string, string>): Map<string, Buffer> {
  const hash = createHash('sha256');
  for (const [name, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`${name}\0${text}\0`);
  const mark = hash.digest('hex').slice(0, 8).toUpperCase();
  const toName = (name: string) => (name === entry ? name : name.replace(/\.mjs$/, `-${mark}.mjs`));
  return new Map(
    [...files].map(([name, text]) => [
      toName(name),
      Buffer.from(
        text.replaceAll(/"\.\/([\w.-]+\.mjs)"/g, (path: string, to: string) =>
          files.has(to) ? `"./${toName(to)}"` : path,
        ),
      ),
    ]),
  );
}
