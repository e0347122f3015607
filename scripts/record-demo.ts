/**
 * `npm run demo:record`: runs the demo and draws its output as an animated picture, `docs/images/demo.svg`. The picture is
 * a terminal whose lines move up as they came; it has no script and no font of its own, so that it shows in a README.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(import.meta.dirname, '..');
const COLUMNS = 112;
const ROWS = 26;
const WIDTH = 8.5;
const HEIGHT = 19;
const MARGIN = 14;
/** Seconds that the last line stays, before it begins again. */
const REST = 5;
/** The classes of the SGR codes that the demo uses. */
const CLASSES: Record<string, string> = { 1: 'b', 2: 'd', 32: 'g', 35: 'm', 36: 'c' };

interface Line {
  seconds: number;
  text: string;
}

async function record(): Promise<Line[]> {
  const lines: Line[] = [];
  const argv = [join(ROOT, 'scripts/demo.ts'), '--runtime', 'process'];
  const child = spawn(process.execPath, argv, {
    env: { ...process.env, FORCE_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let began: number | undefined;
  for await (const text of createInterface(child.stdout)) {
    began ??= performance.now();
    lines.push({ seconds: (performance.now() - began) / 1000, text });
  }
  if ((await ended) !== 0) throw new Error('The demo failed; its output is above.');
  return lines;
}

const escapeText = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The text with a `tspan` for each color. */
function paint(text: string): string {
  let open: string[] = [];
  let painted = '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they begin the codes of a terminal.
  for (const [at, part] of text.split(/\x1b\[(\d+)m/).entries()) {
    if (at % 2 === 0) {
      const names = open.map((code) => CLASSES[code] ?? '').join(' ');
      if (part !== '')
        painted += names ? `<tspan class="${names}">${escapeText(part)}</tspan>` : escapeText(part);
      continue;
    }
    if (part in CLASSES) open = [...open, part];
    else
      open =
        part === '22'
          ? open.filter((code) => code !== '1' && code !== '2')
          : open.filter((code) => Number(code) < 30);
  }
  return painted;
}

function draw(lines: readonly Line[]): string {
  const total = (lines.at(-1)?.seconds ?? 0) + REST;
  // Lines that came together are one step.
  const places = new Map(
    lines.map(({ seconds }, at) => [((seconds / total) * 100).toFixed(2), (ROWS - 1 - at) * HEIGHT]),
  );
  const steps = [...places].map(([percent, y]) => `${percent}%{transform:translateY(${y}px)}`);
  const end = `translateY(${(ROWS - lines.length) * HEIGHT}px)`;
  const rows = lines.map(
    ({ text }, at) => `<text y="${(at + 0.75) * HEIGHT}" xml:space="preserve">${paint(text)}</text>`,
  );
  const [width, height] = [COLUMNS * WIDTH + 2 * MARGIN, ROWS * HEIGHT + 2 * MARGIN];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">A recording of npm run demo</title>
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#d6dbe3;white-space:pre}
.b{font-weight:700}.d{fill:#8b94a3}.g{fill:#7ed491}.m{fill:#d7a3f0}.c{fill:#78cfe6}
#lines{transform:${end};animation:move ${total.toFixed(1)}s step-end infinite}
@keyframes move{${steps.join('')}to{transform:${end}}}
@media (prefers-reduced-motion:reduce){#lines{animation:none}}
</style>
<rect width="${width}" height="${height}" rx="8" fill="#14181f"/>
<clipPath id="screen"><rect width="${COLUMNS * WIDTH}" height="${ROWS * HEIGHT}"/></clipPath>
<g transform="translate(${MARGIN} ${MARGIN})" clip-path="url(#screen)"><g id="lines">
${rows.join('\n')}
</g></g>
</svg>
`;
}

writeFileSync(join(ROOT, 'docs/images/demo.svg'), draw(await record()));
console.log('docs/images/demo.svg');
