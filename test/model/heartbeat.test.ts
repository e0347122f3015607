import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HEARTBEAT_BYTES, heartbeat, readHeartbeat } from '../../src/model/worker/heartbeat.ts';

const at = '2030-01-01T11:00:00.000Z';
const BEAT = { incarnation: 1, phase: 'ready', at, active_at: at, busy: false, seq: 3 };

test('reading by the table gives what the schema gives, whatever a body writes', () => {
  const names = Object.keys(heartbeat.shape);
  const value = fc.oneof(
    fc.constantFrom('ready', 'booting', at, 0, 1, 1.5, 2 ** 60, true, null, -1),
    fc.constant({ toString: null }),
    fc.anything(),
  );
  const changes = fc.dictionary(fc.constantFrom(...names, 'other'), value, { maxKeys: 3 });
  fc.assert(
    fc.property(changes, fc.constantFrom(...names, ''), (changed, without) => {
      const given = { ...BEAT, ...changed } as Record<string, unknown>;
      delete given[without];
      const text = JSON.stringify(given);
      if (text.length > HEARTBEAT_BYTES) return;
      const read = readHeartbeat(text);
      const parsed = heartbeat.safeParse(JSON.parse(text));
      expect([text, read?.heartbeat !== undefined]).toEqual([text, parsed.success]);
      if (parsed.success) expect(read?.heartbeat).toMatchObject(parsed.data);
      else expect(read?.unreadable).toEqual(expect.any(String));
    }),
    { numRuns: 500 },
  );
});

test.each([
  ['nothing', '', undefined],
  ['a text', 'half a {', 'it is not JSON'],
  ['a list', '[]', 'it is not an object'],
  ['what is nested very deep', '['.repeat(8000), 'it is not JSON'],
  ['what is very long', ' '.repeat(9000), 'it is longer than 8192 bytes'],
  ['an instant that has no text', JSON.stringify({ ...BEAT, at: { toString: null } }), 'at is not a string'],
])('%s is put aside with its reason', (_, text, why) => {
  expect(readHeartbeat(text)?.unreadable).toBe(why);
});
