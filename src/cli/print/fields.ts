/** Fields of records for people, in the syntax of the command line. Pure. */

/** Names and values of a record; maps and lists as an option would take them. */
export function toPairs(record: object): [string, string | undefined][] {
  return Object.entries(record).map(([name, value]) => {
    if (value === undefined || value === null) return [name, undefined];
    if (name === 'command_line') return [name, (value as string[]).map(quoted).join(' ')];
    if (Array.isArray(value)) return [name, value.map(toText).join(', ')];
    if (typeof value !== 'object') return [name, String(value)];
    const pairs = Object.entries(value).map(([key, inner]) => `${key}=${toText(inner)}`);
    return [name, pairs.join(' ')];
  });
}

/** A heading with an indented body. */
export const formatSection = (name: string, body: string): string =>
  body && `${name}\n${body.replace(/^/gm, '  ')}`;

const toText = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value));

const quoted = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
