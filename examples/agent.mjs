#!/usr/bin/env node
// An agent that runs each prompt as a shell command. Uses JSON lines (docs/agents.md).
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const say = (type, fields) => console.log(JSON.stringify({ type, ...fields }));
let command; // of the turn under way

function begin({ id, content }) {
  say('tool_use', { tool_use_id: id, tool: 'sh', content, input: { command: content } });
  command = spawn('sh', ['-c', `exec 2>&1; ${content}`], {
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  let output = '';
  command.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  command.on('close', (code, signal) => {
    say('tool_result', { tool_use_id: id, content: output, is_error: code !== 0 });
    if (signal) return say('turn_failed', { id, message: `ended by ${signal}` });
    say('message', { content: `It ended with ${code}.` });
    say('turn_completed', { id, result: output });
  });
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line);
  if (request.type === 'prompt') begin(request);
  if (request.type === 'interrupt' && command?.exitCode === null) process.kill(-command.pid, 'SIGTERM');
});
