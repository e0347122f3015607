import { z } from 'zod';

/** Maximum number of entries of a list, and of characters of one entry; more than any list that is maintained by hand. */
const MOST = 1000;
const LONGEST = 4096;
/** Maximum number of characters of a requirements file. */
const FILE_LIMIT = 262_144;

/** A distribution with its extras (PEP 508). */
const DISTRIBUTION = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?(?:\s?\[[A-Za-z0-9._, -]{0,512}\])?/;
/** What may follow the name: versions, a marker after `;`, and hashes. */
const VERSIONS = /^[\w\s.,*+!<>=~()-]*$/;
const MARKER = /^[\w\s.,*+!<>=~()'"-]*$/;
const ADDRESS = /^\s*@\s*(https?:\/\/[^\s'"\\$]+)$/;
const HASH = /\s+--hash=sha(?:256|384|512):[0-9a-f]{64,128}(?=\s|$)/g;

/** A phrase that says what is wrong with a requirement; undefined if it is valid for pip. */
export function findRequirementError(line: string): string | undefined {
  if (line.startsWith('-'))
    return 'is a pip option; only requirements are allowed (the operator sets PIP_INDEX_URL for an index)';
  const name = DISTRIBUTION.exec(line)?.[0];
  if (name === undefined) return 'must start with the name of a package';
  const [versions = '', ...markers] = line.slice(name.length).replaceAll(HASH, '').split(';');
  const url = ADDRESS.exec(versions.trimEnd())?.[1];
  if (url !== undefined && /^https?:\/\/[^/]*@/.test(url))
    return 'has credentials in its URL, which would be stored in Redis and in images';
  const plain = url !== undefined || (VERSIONS.test(versions) && !/(^|\s)-/.test(versions));
  if (!plain || !markers.every((marker) => MARKER.test(marker) && !/(^|\s)-/.test(marker)))
    return 'must be a requirement such as "requests>=2.31"';
  return undefined;
}

/** The requirements of a file: comments and empty lines are removed, and continued lines are joined. */
export function readRequirements(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .replace(/\\\r?\n[ \t]*/g, ' ')
    .split(/\r?\n/)
    .map((line) => line.replace(/(^|[ \t])#.*$/, '').trim())
    .filter((line) => line !== '');
}

const requirement = z
  .string()
  .max(LONGEST)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
  .refine((line) => !/[\u0000-\u001f\u007f]/.test(line), 'must be one line')
  .superRefine((line, context) => {
    const fault = findRequirementError(line);
    if (fault) context.addIssue({ code: 'custom', message: fault });
  });

/** Python packages for pip: a list, or the text of a requirements file, which is converted to the list. */
export const requirements = z
  .union([z.string().max(FILE_LIMIT).transform(readRequirements), z.array(z.string()).max(MOST)])
  .pipe(z.array(requirement).max(MOST));

/** Names of Debian packages. A trailing `-` would remove the package. */
export const packages = z
  .array(z.string().regex(/^[a-z0-9][a-z0-9+.-]{0,126}[a-z0-9+]$/, 'must be the name of a Debian package'))
  .max(MOST);
