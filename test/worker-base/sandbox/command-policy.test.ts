import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BASE_COMMANDS } from '../../../worker-base/sandbox/base-commands.ts';
import { evaluateToolCall, findDenial } from '../../../worker-base/sandbox/command-policy.ts';
import { findPrograms } from '../../../worker-base/sandbox/shell-parser.ts';

const ask = (command: unknown, tool = 'Bash', allowed = ['git', 'ls']) => {
  const { permissionDecision, permissionDecisionReason } =
    evaluateToolCall({ tool_name: tool, tool_input: { command } }, allowed).hookSpecificOutput ?? {};
  return permissionDecision === 'deny' ? permissionDecisionReason : permissionDecision;
};

test('the base set is the one by which images are locked', () => {
  const lock = readFileSync(new URL('../../../worker-base/image/lock.sh', import.meta.url), 'utf8');
  const base = /^BASE='([^']*)'$/m.exec(lock)?.[1]?.split(' ') ?? [];
  expect([...BASE_COMMANDS].sort()).toEqual([...base, 'sh'].sort());
});

describe('the programs of a command', () => {
  test.each<[string, string[]]>([
    ['git status', ['git']],
    ['FOO=1 B="x y" curl x && ls | sort; (wc -l) & jq', ['curl', 'ls', 'sort', 'wc', 'jq']],
    ['/usr/bin/curl -s x; /usr/local/sbin/x', ['curl', 'x']],
    ['bash -c "curl x | tee y"', ['bash', 'curl', 'tee']],
    ["sh -ec 'wget x'", ['sh', 'wget']],
    ['timeout -k 1 5 env -u X A=b nohup nice -n 3 curl', ['timeout', 'env', 'nohup', 'nice', 'curl']],
    ['find . -exec rm {} \\; -exec wget {} +', ['find', 'rm', 'wget']],
    ['ls | xargs -n 1 -I {} curl {}', ['ls', 'xargs', 'curl']],
    ['for f in a b; do jq . $f; done', ['jq']],
    ['while ! curl x; do sleep 1; done', ['curl', 'sleep']],
    ['case $x in a|b) curl ;; (c) wget ;; esac; ls', ['curl', 'wget', 'ls']],
    [
      'if [ -f a ]; then make; elif [[ a == b && c ]]; then cmake; else ninja; fi',
      ['make', 'cmake', 'ninja'],
    ],
    ['echo "$(curl x)" `wget y` "`dig z`"', ['curl', 'wget', 'dig']],
    ['x=$(python3 -c 1) node', ['node', 'python3']],
    ['diff <(curl a) <(wget b)', ['diff', 'curl', 'wget']],
    ['eval "curl x"', ['curl']],
    ['((curl x); wget)', ['curl', 'wget']],
    ['((i++)) && curl', ['curl']],
    ["echo $'a\\'b'; curl", ['curl']],
    ["$'cu\\x72l' x; wget", ['wget']],
    ['time curl', ['curl']],
    ['command curl; exec wget', ['curl', 'wget']],
    ['cat <<EOF | sort\ncurl\nEOF\nls', ['cat', 'sort', 'ls']],
    ['cat <<-E\n\tcurl\n\tE\nls', ['cat', 'ls']],
    ['curl 2>&1 >/dev/null <x | tee', ['curl', 'tee']],
    ['ls &>x; ls >>x 2>>y <<<curl', ['ls']],
    ['\\curl x; "wget" x; d"i"g', ['curl', 'wget', 'dig']],
    ['ls # curl\nwc', ['ls', 'wc']],
  ])('%s', (command, programs) => expect(findPrograms(command)).toEqual(programs));

  test.each([
    'echo curl; printf "a;wget"; cd /x; export A=b; :; [ a = b ]',
    `$PROGRAM x; $${'{'}A:-curl} y; *.sh; ~/x`,
    './curl; ../bin/wget; /workspace/x; node_modules/.bin/tsc',
    'f() { echo; }; f; function g { :; }; g; alias h=echo; h',
    'a=(curl wget); echo $((curl + 1))',
    'command -v curl; type wget; # curl',
    // Both were refused, for i++ and s are no commands.
    '((i++)); ((i = curl + (wget))) && :',
    "echo $'it\\'s curl; wget' $'\\\\'",
    'for ((i = 0; i < 3; i++)); do :; done',
    'for curl in wget; do :; done',
    "echo 'unclosed curl",
    '',
  ])('are not known: %s', (command) => expect(findPrograms(command)).toEqual([]));

  test.each([
    '$('.repeat(60_000),
    '${'.repeat(60_000),
    'find -exec '.repeat(11_000),
    'env '.repeat(30_000),
    '((((`'.repeat(20_000),
    `${'<<a '.repeat(30_000)}\n`,
    'case x in a) '.repeat(9000),
    'x'.repeat(500_000),
  ])('are found in bounded time %#', (command) => expect(findPrograms(command).length).toBeLessThan(6));
});

describe('the judgement', () => {
  test('names what is not allowed, and what is', () => {
    expect(ask('git status && curl x | wget y')).toBe(
      'curl, wget are not in allowed_commands (git, ls), regardless of how it is started. ' +
        'Continue without it, or report what you could not do.',
    );
    expect(ask('curl x', 'Execute', [])).toContain('curl is not in allowed_commands (none)');
  });

  test.each([
    ['git log | grep x; cd y; bash -c "ls"', 'Bash'],
    ['curl x', 'Read'],
    [undefined, 'Bash'],
    [{ a: 1 }, 'Bash'],
  ])('lets through %s for %s', (command, tool) => expect(ask(command, tool)).toBe('allow'));

  test.each(['WebFetch', 'WebSearch', 'FetchUrl'])('refuses %s', (tool) =>
    expect(ask('', tool)).toContain('not allowed'),
  );

  test.each([undefined, null, 1, 'x', [], {}, { tool_name: 3 }])('has no opinion on %j', (request) =>
    expect(evaluateToolCall(request, ['git'])).toEqual({}),
  );
});

describe('a refusal by the system', () => {
  test.each([
    ['curl', 'Exit code 126\n/bin/bash: line 1: /usr/bin/curl: Permission denied'],
    ['curl', 'out\nbash: line 3: /usr/local/bin/curl: Permission denied\nmore'],
    ['curl', 'sh: 1: curl: Permission denied'],
    ['curl', 'Exit code 127\ncurl -s http://host:80/x: 1: curl: Permission denied'],
    ['curl', '/workspace/fetch.sh: line 2: /usr/bin/curl: Permission denied'],
    ['tool', 'Exit code 126\n/bin/bash: line 1: ./tool: Permission denied'],
    ['python3', 'bash: ./s.py: /usr/bin/python3: bad interpreter: Permission denied'],
    ['curl', 'timeout: failed to run command ‘curl’: Permission denied'],
    ['node', "/usr/bin/env: 'node': Permission denied"],
    ['curl', 'xargs: curl: Permission denied'],
    ['curl', 'error: cannot run curl: Permission denied'],
    ['curl', 'Can\'t exec "curl": Permission denied at -e line 1.'],
    ['curl', 'Error: spawn curl EACCES\n    at ChildProcess'],
    ['curl', "PermissionError: [Errno 13] Permission denied: 'curl'"],
    ['curl', 'Error: Command failed (exit code: 126)\n/bin/bash: line 1: /usr/bin/curl: Permission denied'],
    [undefined, 'cat: /etc/shadow: Permission denied'],
    [undefined, 'Exit code 1\n/bin/bash: line 1: /workspace/x: Permission denied'],
    [undefined, 'sh: 1: cannot create /x: Permission denied'],
    [undefined, './run.sh: 3: ./tool.sh: Permission denied'],
    [undefined, 'find: ‘/root’: Permission denied'],
    [undefined, 'git@github.com: Permission denied (publickey).'],
    [undefined, 'Exit code 3\nno luck'],
    [undefined, ''],
  ])('is of %s in %j', (program, content) => expect(findDenial({ content, is_error: true })).toBe(program));

  test('is found at the end of a long result, in no time', () => {
    const content = `${': '.repeat(1_000_000)}\nbash: line 1: /usr/bin/curl: Permission denied`;
    expect(findDenial({ content, is_error: false })).toBe('curl');
  });
});
