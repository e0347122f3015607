import { expect, test } from 'vitest';
import { CAT } from '../scene.ts';
import { type ClientSubject, LONG, refusal } from './subject.ts';

/** What every transport can do. */
export function testFiles(subject: ClientSubject): void {
  test('files are written and read', { timeout: LONG }, async () => {
    const { client } = subject();
    await using worker = await client.workers.create(CAT, { wait: 'ready' });
    const { files, commands } = worker;
    expect(await files.write('notes/über uns.txt', 'é\n', { mode: 0o640 })).toMatchObject({
      size: 3,
      mode: '0640',
    });
    expect((await commands.run('cat notes/*; stat -c %a notes/*')).stdout).toBe('é\n640\n');
    expect(await files.read('notes/über uns.txt')).toBe('é\n');
    const bytes = new Uint8Array(300_000).map((_, at) => at * 7);
    await files.write('bytes', bytes);
    expect(Buffer.from(await files.read('bytes', { format: 'bytes' })).equals(Buffer.from(bytes))).toBe(true);
    const part = await files.read('bytes', { format: 'bytes', range: { first: 10, last: 12 } });
    expect([...part]).toEqual([70, 77, 84]);
    await files.write('empty', '');
    expect(await files.read('empty')).toBe('');
    expect(await refusal(files.read('missing'))).toMatchObject({ code: 'not_found', reason: 'no_file' });
    for (const path of ['../x', '..', 'notes/../../x', '/etc/passwd'])
      expect(await refusal(files.read(path)), path).toMatchObject({
        code: 'invalid_command',
        reason: 'outside_workspace',
      });
    expect(await refusal(files.write('bytes/x', ''))).toMatchObject({
      code: 'conflict',
      reason: 'not_a_directory',
    });
    await worker.stop({ wait: 'ended' });
    expect(await refusal(files.read('bytes'))).toMatchObject({ code: 'conflict' });
  });
}

/** What needs the HTTP API. */
export function testFolders(subject: ClientSubject): void {
  test('folders are listed, changed, packed and watched', { timeout: LONG }, async () => {
    const { client } = subject();
    await using worker = await client.workers.create(CAT, { wait: 'ready' });
    const { files, commands } = worker;
    expect(await files.makeDir('src/deep')).toBe(true);
    expect(await files.makeDir('src/deep')).toBe(false);
    const stream = new Blob([new Uint8Array(3_000_000)]);
    expect(await files.write('src/large', stream)).toMatchObject({ size: 3_000_000 });
    await commands.run(['sh', '-c', 'cd src; echo odd >"$(printf "\\377\\n.")"; ln -s deep link']);
    const listed = await files.list('src');
    expect(listed.map(({ path, type }) => [path, type])).toEqual([
      ['src/deep', 'directory'],
      ['src/large', 'file'],
      ['src/link', 'symlink'],
      ['src/%FF%0A.', 'file'],
    ]);
    const [odd] = listed.slice(-1);
    expect(await files.read(odd ?? '')).toBe('odd\n');
    expect(await files.rename(odd ?? '', 'src/plain name')).toMatchObject({ path: 'src/plain%20name' });
    expect(await files.exists('src/plain name')).toBe(true);
    expect(await files.exists('src/other')).toBe(false);
    expect(await files.exists('src/large/below')).toBe(false);
    expect(await files.getInfo('src/link')).toMatchObject({ type: 'directory' });
    expect(await refusal(files.exists('../x'))).toMatchObject({ reason: 'outside_workspace' });

    const events: string[] = [];
    const ended = Promise.withResolvers<unknown>();
    const handle = await files.watchDir('src', ({ type, path }) => events.push(`${type} ${path}`), {
      recursive: true,
      onExit: ended.resolve,
    });
    await files.write('src/deep/new', 'x');
    await expect.poll(() => events).toContain('create src/deep/new');
    handle.stop();
    expect(await ended.promise).toBeUndefined();

    const tar = await new Response(await files.readArchive('src')).blob();
    expect(await files.writeArchive('copy', tar)).toEqual({ files: 4, directories: 1, bytes: 3_000_005 });
    expect((await commands.run('diff -r src copy')).exit_code).toBe(0);
    const { etag } = await files.getInfo('copy/large');
    expect(await refusal(files.write('copy/large', 'x', { ifNoneMatch: '*' }))).toMatchObject({
      code: 'conflict',
      status: 412,
      reason: 'exists',
    });
    const next = await files.write('src/large', 'x', { ifMatch: (await files.getInfo('src/large')).etag });
    expect(next.etag).not.toBe(etag);
    expect(await refusal(files.write('src/large', 'y', { ifMatch: etag }))).toMatchObject({
      status: 412,
      reason: 'changed',
    });
    expect(await files.read('src/large')).toBe('x');
    await files.remove('src');
    expect((await files.list()).map(({ name }) => name)).toEqual(['copy']);
    const reader = (await files.read('copy/large', { format: 'stream' })).getReader();
    expect((await reader.read()).done).toBe(false);
    await reader.cancel();
  });
}
