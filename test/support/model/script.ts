/**
 * What the stand-in for the model says next. Pure: everything follows from the request's own messages, so agents may
 * retry, resume, interrupt and run side by side.
 *
 * The script is in the user's prompt, as directives: `[[say Looking.]] [[run git status]] [[say Done.]]`. One
 * reply reaches up to and including the next use of a tool; each reply of the model since the prompt was one step.
 */

/** One thing to do while replying. */
export type Act =
  | { do: 'say'; text: string }
  | { do: 'think'; text: string }
  | { do: 'run'; command: string }
  | { do: 'tool'; name: string; input: Record<string, unknown> }
  | { do: 'wait'; name: string }
  | { do: 'slow'; ms: number }
  | { do: 'error'; status: number; times: number }
  | { do: Fault; times: number }
  | { do: 'stop'; reason: 'max_tokens' | 'refusal' };

/** `hang`: no byte. `stall`: begins and goes silent. `cut`: begins, and the connection is reset. */
export type Fault = 'hang' | 'stall' | 'cut' | 'garbage' | 'empty' | 'html';
const FAULTS: readonly string[] = ['hang', 'stall', 'cut', 'garbage', 'empty', 'html'];

export interface Message {
  role: string;
  content: string | Block[];
}
interface Block {
  type: string;
  text?: string;
}

export interface Step {
  acts: Act[];
  /** Names this prompt in this conversation and the step in it, for faults with a limited number of occurrences. */
  key: string;
}

/** Texts that agents add to a conversation by themselves: they are no prompts, and ask for no new script. */
const ADDED =
  /^\s*(<system-reminder>|# AGENTS\.md instructions|<(environment_context|turn_aborted)>|\[?Request (interrupted|cancelled)|Output token limit hit|Your (previous response|response above) )/;

/** The next reply in this conversation. */
export function nextStep(messages: Message[]): Step {
  const told = messages.filter(({ role }) => role === 'user' || role === 'assistant');
  let prompt = '';
  let turns = 0;
  let replies = 0;
  let last = '';
  for (const { role, content } of told) {
    if (role === 'assistant') {
      // An agent may write one reply as several messages.
      if (last !== 'assistant') replies += 1;
    } else {
      for (const text of promptsIn(content)) {
        prompt = text;
        turns += 1;
        replies = 0;
      }
    }
    last = role;
  }
  const steps = stepsOf(prompt, turns);
  return { acts: steps[replies] ?? [{ do: 'say', text: 'Done.' }], key: `${turns} ${replies} ${prompt}` };
}

function promptsIn(content: string | Block[]): string[] {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  return blocks.flatMap(({ type, text }) => {
    if (type !== 'text' || text === undefined || ADDED.test(text) || text.trim() === '') return [];
    return [text];
  });
}

/** The replies that a prompt asks for. Without a directive it is said back. */
export function stepsOf(prompt: string, turns: number): Act[][] {
  const acts = [...prompt.matchAll(/\[\[(\w+)\s*(.*?)\]\]/gs)].map(([, word = '', rest = '']) =>
    readDirective(word, rest.trim(), turns),
  );
  if (acts.length === 0) return [[{ do: 'say', text: `You said: ${prompt.slice(0, 1000)}` }]];
  const steps: Act[][] = [[]];
  for (const act of acts) {
    steps.at(-1)?.push(act);
    if (act.do === 'run' || act.do === 'tool' || act.do === 'stop') steps.push([]);
  }
  // A permanent refusal or failure stays for later requests.
  const lasting = ({ do: what, ...rest }: Act) =>
    (what === 'stop' && 'reason' in rest && rest.reason === 'refusal') ||
    (FAULTS.includes(what) && 'times' in rest && rest.times === Number.POSITIVE_INFINITY);
  const last = steps.findIndex((step) => step.some(lasting));
  if (last >= 0) return [...steps.slice(0, last), ...Array<Act[]>(20).fill(steps[last] ?? [])];
  return steps.map((step) => (step.length > 0 ? step : [{ do: 'say', text: 'Done.' }]));
}

function readDirective(word: string, rest: string, turns: number): Act {
  const times = Number(/\bx(\d+)$/.exec(rest)?.[1] ?? Number.POSITIVE_INFINITY);
  if (FAULTS.includes(word)) return { do: word as Fault, times };
  switch (word) {
    case 'say':
      return { do: 'say', text: rest };
    case 'count':
      return { do: 'say', text: `Prompts so far: ${turns}.` };
    case 'long':
      return { do: 'say', text: wordsOf(Number(rest), turns) };
    case 'think':
      return { do: 'think', text: rest || 'Let me think.' };
    case 'run':
      return { do: 'run', command: rest };
    case 'tool': {
      const [name = '', ...json] = rest.split(' ');
      return { do: 'tool', name, input: JSON.parse(json.join(' ') || '{}') };
    }
    case 'wait':
      return { do: 'wait', name: rest };
    case 'slow':
      return { do: 'slow', ms: Number(rest) };
    case 'error':
      return { do: 'error', status: Number.parseInt(rest, 10), times };
    case 'max_tokens':
      return { do: 'stop', reason: 'max_tokens' };
    case 'refuse':
      return { do: 'stop', reason: 'refusal' };
    default:
      return { do: 'say', text: `There is no directive "${word}".` };
  }
}

/** That many characters of words that do not repeat, other ones at each turn: a CLI ends a model that writes in a cycle. */
function wordsOf(length: number, turn: number): string {
  let text = '';
  // The numbers of Numerical Recipes for a generator of 32 bits.
  for (let seed = turn + 1; text.length < length; ) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    text += `${seed.toString(36)} `;
  }
  return text.slice(0, length);
}
