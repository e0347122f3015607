/** Shared by the driver and the test of secrets. */
export const CREDENTIAL = 'ANTHROPIC_API_KEY';
export const FILE = 'DEPLOY_TOKEN';

export interface Found {
  /** The model's answer through the model proxy. */
  asked: string;
  /** SHA-256 of the credential, as it was received. */
  hash: string;
  said: string;
  stderr: string;
  leaked: boolean;
}

/** What the agent tries; CommonJS for `node -e`. Prints `opened` for each thing that it could read, with its hash. */
export const LOOK = `
const { readFileSync, readdirSync, openSync, writeFileSync } = require('node:fs');
const { createHash } = require('node:crypto');
const [wrapper, secrets] = process.argv.slice(1);
const report = { user: process.getuid(), opened: [], refused: [], files: {}, changed: false };
for (const name of ['environ', 'mem', 'maps', 'auxv', 'fd', 'fdinfo', 'io', 'stack', 'syscall', 'root', 'cwd', 'map_files', 'pagemap']) {
  const path = '/proc/' + wrapper + '/' + name;
  try {
    if (['fd', 'root', 'cwd', 'map_files'].includes(name)) readdirSync(path);
    else if (name === 'mem') openSync(path, 'r');
    else readFileSync(path);
    report.opened.push(name);
  } catch (error) { report.refused.push(name + ' ' + error.code); }
}
for (const path of ['/run/worker', '/run/worker/secrets.pipe', '/proc/1/environ', '/proc/1/mem']) {
  try { path === '/run/worker' ? readdirSync(path) : openSync(path, 'r'); report.opened.push(path); }
  catch (error) { report.refused.push(path + ' ' + error.code); }
}
for (const name of readdirSync(secrets)) {
  report.files[name] = createHash('sha256').update(readFileSync(secrets + '/' + name)).digest('hex');
  try { writeFileSync(secrets + '/' + name, 'x'); report.changed = true; } catch {}
}
try { process.kill(Number(wrapper), 0); report.opened.push('signal'); } catch (error) { report.refused.push('signal ' + error.code); }
report.cmdline = readFileSync('/proc/' + wrapper + '/cmdline', 'latin1').length;
console.log(JSON.stringify(report));
`;
