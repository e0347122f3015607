import type { Runtime } from './runtime.ts';

const CALLS = [
  'probe',
  'list',
  'find',
  'create',
  'start',
  'deliver',
  'connect',
  'terminate',
  'kill',
  'remove',
  'listWorkspaces',
  'removeWorkspace',
  'usage',
  'limit',
] as const;

/** The same runtime, with every call reported to `observe`: its name, `ok` or `error`, and seconds. */
export function withMetrics(
  runtime: Runtime,
  observe: (call: string, result: string, seconds: number) => void,
): Runtime {
  const timed = CALLS.map((call) => {
    const act = async (...args: never[]) => {
      const began = performance.now();
      let result = 'error';
      try {
        const answer = await (runtime[call] as (...args: never[]) => Promise<unknown>).apply(runtime, args);
        result = 'ok';
        return answer;
      } finally {
        observe(call, result, (performance.now() - began) / 1000);
      }
    };
    return [call, act] as const;
  });
  return {
    ...(Object.fromEntries(timed) as unknown as Pick<Runtime, (typeof CALLS)[number]>),
    name: runtime.name,
    watch: (onEvent) => runtime.watch(onEvent),
    close: () => runtime.close(),
    dismantle: () => runtime.dismantle(),
  };
}
