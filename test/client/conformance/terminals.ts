import { createServer } from 'node:http';
import { expect, test, vi } from 'vitest';
import type { WindowSize } from '../../../src/client/terminals.ts';
import { CAT } from '../scene.ts';
import { type ClientSubject, LONG, refusal } from './subject.ts';

const soon = { timeout: 20_000, interval: 20 };

export function testTerminals(subject: ClientSubject): void {
  test('a terminal takes input, has a size, and can be left and viewed again', {
    timeout: LONG,
  }, async () => {
    const { client } = subject();
    await using worker = await client.workers.create(CAT, { wait: 'ready' });
    let seen = '';
    const decoder = new TextDecoder();
    const onData = (bytes: Uint8Array) => {
      seen += decoder.decode(bytes, { stream: true });
    };
    const sizes: WindowSize[] = [];
    const onResize = (size: WindowSize) => sizes.push(size);
    const command = ['bash', '--norc', '-i'];
    const one = await worker.pty.create({
      command,
      env: { PS1: '> ' },
      cols: 100,
      rows: 30,
      onData,
      onResize,
    });
    one.sendInput('stty size; echo "grün"\r');
    await vi.waitFor(() => expect(seen).toMatch(/30 100\r\ngrün\r\n/), soon);
    one.resize({ cols: 90, rows: 20 });
    one.sendInput(new TextEncoder().encode('stty size\r'));
    await vi.waitFor(() => expect(seen).toMatch(/20 90\r\n/), soon);
    expect(sizes.at(-1)).toEqual({ cols: 90, rows: 20 });
    one.disconnect();
    expect(await refusal(one.wait())).toMatchObject({ code: 'conflict' });
    expect(await worker.pty.list()).toMatchObject([{ pty_id: one.ptyId, status: 'running' }]);
    seen = '';
    const two = await worker.pty.connect(one.ptyId, { onData });
    await vi.waitFor(() => expect(seen).toMatch(/grün/), soon);
    two.sendInput('exit 9\r');
    expect(await two.wait()).toEqual({ exit_code: 9, signal: null });
    expect(await refusal(worker.pty.connect('00000000-0000-4000-8000-000000000000'))).toMatchObject({
      code: 'not_found',
    });
    expect(await refusal(worker.pty.create({ cwd: '/no/such' }))).toMatchObject({ code: 'invalid_command' });
    const three = await worker.pty.create({ command: ['sleep', '60'] });
    expect(await three.kill()).toBe(true);
    expect(await three.wait()).toEqual({ exit_code: 137, signal: 'SIGKILL' });
    expect(await worker.pty.kill('00000000-0000-4000-8000-000000000000')).toBe(false);
  });

  test('a port has a URL for programs and a link for browsers', { timeout: LONG }, async () => {
    const { client, scene } = subject();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    await using worker = await client.workers.create(CAT, { wait: 'ready' });
    const { token, url } = scene.manager;
    const headers = { authorization: `Bearer ${token}` };
    // It is this process that listens, and no process of the worker.
    expect((await fetch(worker.getHost(port, '/x'), { headers })).status).toBe(503);
    server.close();
    const script = `require("http").createServer((q, r) => r.end(q.url)).listen(${port}, "127.0.0.1")`;
    await worker.commands.run([process.execPath, '-e', script], { background: true });
    await vi.waitFor(async () => {
      const response = await fetch(worker.getHost(port, '/x'), { headers });
      expect([response.status, await response.text()]).toEqual([200, '/x']);
    }, soon);
    const link = await worker.createPortLink(port);
    expect(link.url).toMatch(new RegExp(`^http://${port}-${worker.id}\\.localhost:${new URL(url).port}/`));
  });
}
