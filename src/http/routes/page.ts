/**
 * The page at `/`: files of `dist/page/`, which `scripts/bundle-page.ts` builds. They are open, because they contain no data;
 * the page asks for the token and reads everything over the API.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Fault } from '../../model/index.ts';
import type { ApiPlugin } from '../api.ts';

const FOLDER = new URL('../../../dist/page/', import.meta.url);

/** Scripts, styles and requests of the page's own server only, nothing inline, and no frame around it. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
};
/** A name with the hash of its content never changes its content. */
const HASHED = /-[\w]{8}\.\w+$/;
const IMMUTABLE = 'public, max-age=31536000, immutable';

type Encoding = 'br' | 'gzip' | 'identity';
interface PageFile {
  type: string;
  tag: string;
  cache: string;
  /** By encoding; compressed once, when it is first asked for. */
  contents: Map<Encoding, Promise<Buffer>>;
}

const compress: Record<Exclude<Encoding, 'identity'>, (content: Buffer) => Promise<Buffer>> = {
  br: (content) => promisify(brotliCompress)(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
  gzip: (content) => promisify(gzip)(content, { level: 9 }),
};

/** The routes of the page. `folder` has its files. */
export const createPageRoutes =
  (folder = FOLDER): ApiPlugin =>
  async (app) => {
    const files = await readFiles(folder);
    const options = { config: { open: true }, schema: { hide: true } };

    app.get('/', options, async (request, reply) => {
      const file = files.get('index.html');
      if (file) return sendFile(request, reply, file);
      throw new Fault(
        'not_found',
        'The page has not been built here: run `npm run build`, then start again.',
      );
    });

    app.get<{ Params: { name: string } }>('/page/:name', options, async (request, reply) => {
      const file = files.get(request.params.name);
      if (!file) throw new Fault('not_found', 'The page has no such file. Load / again.');
      return sendFile(request, reply, file);
    });
  };

/** All files in memory: together they have some 200 kB. */
async function readFiles(folder: URL): Promise<Map<string, PageFile>> {
  const names = await readdir(folder).catch((): string[] => []);
  const files = names.map(async (name): Promise<[string, PageFile]> => {
    const content = await readFile(new URL(name, folder));
    const file = {
      type: TYPES[extname(name)] ?? 'application/octet-stream',
      tag: `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`,
      cache: HASHED.test(name) ? IMMUTABLE : 'no-cache',
      contents: new Map<Encoding, Promise<Buffer>>([['identity', Promise.resolve(content)]]),
    };
    return [name, file];
  });
  return new Map(await Promise.all(files));
}

async function sendFile(
  { headers }: FastifyRequest,
  reply: FastifyReply,
  file: PageFile,
): Promise<FastifyReply> {
  void reply.headers({
    'cache-control': file.cache,
    'content-security-policy': PAGE_POLICY,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    etag: file.tag,
    vary: 'accept-encoding',
  });
  if (headers['if-none-match']?.includes(file.tag)) return reply.code(304).send();
  const encoding = chooseEncoding(headers['accept-encoding']);
  if (encoding !== 'identity') void reply.header('content-encoding', encoding);
  return reply.type(file.type).send(await encode(file, encoding));
}

function chooseEncoding(accepted: string | undefined): Encoding {
  const names = (accepted ?? '').split(',').map((part) => part.trim());
  // `;q=0` refuses an encoding, and makes a name that is not the encoding's.
  return (['br', 'gzip'] as const).find((name) => names.includes(name)) ?? 'identity';
}

async function encode({ contents }: PageFile, encoding: Encoding): Promise<Buffer> {
  const plain = await contents.get('identity');
  if (encoding === 'identity' || plain === undefined) return plain ?? Buffer.alloc(0);
  let content = contents.get(encoding);
  if (!content) {
    content = compress[encoding](plain);
    contents.set(encoding, content);
  }
  return content;
}
