/** Where checkpoints are stored, as CHECKPOINT_DIR names it. Pure; loads no client. */
export type CheckpointPlace =
  | { kind: 'directory'; path: string }
  | { kind: 's3'; bucket: string; prefix: string; endpoint: string | undefined; region: string | undefined };

/**
 * `/path`, `s3://BUCKET/PREFIX` at Amazon, or `s3+https://HOST/BUCKET/PREFIX` (or `s3+http`) at another server; both with
 * an optional `?region=`. Undefined if it is none of them.
 */
export function parseCheckpointPlace(text: string): CheckpointPlace | undefined {
  if (text.startsWith('/')) return { kind: 'directory', path: text };
  const [, scheme, rest = ''] = /^s3(?:\+(https?))?:\/\/(.*)$/.exec(text) ?? [];
  if (rest === '' || !URL.canParse(`${scheme ?? 'https'}://${rest}`)) return undefined;
  const url = new URL(`${scheme ?? 'https'}://${rest}`);
  if (url.username !== '' || url.password !== '' || url.hash !== '') return undefined;
  if ([...url.searchParams.keys()].some((name) => name !== 'region')) return undefined;
  const folders = url.pathname.split('/').filter(Boolean);
  const bucket = scheme === undefined ? url.hostname : folders.shift();
  if (bucket === undefined || !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) return undefined;
  return {
    kind: 's3',
    bucket,
    prefix: folders.map((folder) => `${decodeURIComponent(folder)}/`).join(''),
    endpoint: scheme === undefined ? undefined : url.origin,
    region: url.searchParams.get('region') ?? undefined,
  };
}
