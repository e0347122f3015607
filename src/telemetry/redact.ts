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
  const bare = end === -1 ? url : `${url.slice(0, start)}${HIDDEN}${url.slice(end)}`;
  return bare.replace(SECRET_PARAMETER, `$1${HIDDEN}`);
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
