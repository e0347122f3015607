/** What stands where a secret stood. */
export const HIDDEN = '***';

const SECRET_PARAMETER = /([?&](?:password|pass|passwd|token|secret|key|api_key|auth)=)[^&#\s"]+/gi;

/**
 * A URL, or what was meant to be one, without credentials: everything before the last `@` is hidden, because
 * passwords often hold unescaped `/`, `:` and `@`. Parameters such as `?password=` lose their value.
 */
export function redactUrl(url: string): string {
  const end = url.lastIndexOf('@');
  const scheme = url.indexOf('://');
  const start = scheme === -1 || scheme > end ? 0 : scheme + 3;
  // The example in a message of ours shows where the password goes.
  if (url.slice(start, end) === 'USER:PASSWORD') return url;
  const bare = end === -1 ? url : `${url.slice(0, start)}${HIDDEN}${url.slice(end)}`;
  return bare.replace(SECRET_PARAMETER, `$1${HIDDEN}`);
}

/** The origin of a URL in which everything else may be secret, as in those of webhooks. */
export function toOrigin(url: string): string {
  if (!URL.canParse(url)) return HIDDEN;
  const { origin, pathname, search } = new URL(url);
  return pathname === '/' && search === '' ? origin : `${origin}/…`;
}

/**
 * Text without the credentials of the URLs in it, and without the given secrets. Rather hides too much: from the
 * first `://` of a run without spaces to its last `@`. Linear in the text's length.
 */
export function redactText(text: string, secrets: readonly string[] = []): string {
  let bare = text;
  for (const secret of secrets) {
    if (secret !== '') bare = bare.replaceAll(secret, HIDDEN);
  }
  if (!bare.includes('://')) return bare;
  return bare.replace(/\S+/g, (run) => (run.includes('://') ? redactRun(run) : run));
}

function redactRun(run: string): string {
  const url = run.indexOf('://') < run.lastIndexOf('@') ? redactUrl(run) : run;
  return url.replace(SECRET_PARAMETER, `$1${HIDDEN}`);
}

/** A JSON text, such as a line of the log, with each string in it redacted; what comes out is JSON again. */
export function redactJson(json: string, secrets: readonly string[] = []): string {
  const escaped = secrets.map((secret) => JSON.stringify(secret).slice(1, -1));
  if (!json.includes('://') && !escaped.some((secret) => json.includes(secret))) return json;
  return json.replace(/"(?:[^"\\]|\\.)*"/g, (string) => `"${redactText(string.slice(1, -1), escaped)}"`);
}

const NAMED_CREDENTIAL =
  /((?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)[A-Z0-9_]*\\?["']?\s*[:=]\s*\\?["']?)([^"'\\\s,}]+)/gi;
const WELL_KNOWN_CREDENTIAL = /\b(?:sk-|fk-|ghp_|gho_|ghs_|github_pat_|xox[a-z]-|AKIA)[\w-]{8,}/g;

/** Text of any form, such as half an entry, without what looks like a credential by its name or by its own prefix. */
export function redactCredentials(text: string): string {
  return redactText(text).replace(NAMED_CREDENTIAL, `$1${HIDDEN}`).replace(WELL_KNOWN_CREDENTIAL, HIDDEN);
}

/** An entry that is put aside, for people to read: no value of its `env` stays, and nothing that looks like a credential. */
export function redactEntry(text: string): string {
  let bare = text;
  try {
    const entry: unknown = JSON.parse(text);
    if (typeof entry === 'object' && entry !== null && 'env' in entry)
      bare = JSON.stringify({ ...entry, env: hidden(entry.env) });
  } catch {
    // Not JSON: it is redacted as the text that it is.
  }
  return redactCredentials(bare);
}

const hidden = (env: unknown) =>
  typeof env === 'object' && env !== null
    ? Object.fromEntries(Object.keys(env).map((name) => [name, HIDDEN]))
    : HIDDEN;
