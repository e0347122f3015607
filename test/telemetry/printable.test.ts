import { expect, test } from 'vitest';
import { printable } from '../../src/telemetry/printable.ts';

test.each([
  ['plain text\nstays\ttext', 'plain text\nstays\ttext'],
  ['\u001b[1;31mred\u001b[0m', 'red'],
  ['\u001b]0;title\u0007shown', 'shown'],
  ['\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\', 'link'],
  ['over\rwritten\u0008 \u0007bell', 'overwritten bell'],
  ['\u009b31mred and \u009d0;title\u009cshown', 'red and shown'],
  ['\u001bP1$r0m\u001b\\answered', 'answered'],
  ['\u001bcreset \u001b(0charset \u001b7saved', 'reset charset saved'],
  ['\u001b]52;c;cm0gLXJm', ''],
  ['safe\u202egnp.exe', 'safegnp.exe'],
  ['größe 🙂 日本', 'größe 🙂 日本'],
  ['\u001b', ''],
])('%j does not control a terminal', (text, shown) => {
  expect(printable(text)).toBe(shown);
});
