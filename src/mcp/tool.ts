/** What a tool is, and what it gets for one call. */
import type { z } from 'zod';
import type { CountExec } from '../http/doors/count-exec.ts';
import type { DoorService } from '../http/doors/door-service.ts';
import type { WorkerService } from '../http/workers/worker-service.ts';
import { Fault, type WorkerView, workerId } from '../model/index.ts';
import { isVisibleTo, type McpCaller } from './caller.ts';
import type { McpLimits } from './limits.ts';

/** What the tools need of the manager. */
export interface McpServices {
  workers: WorkerService;
  doors: DoorService;
  onExec: CountExec;
}

/** One call of a tool. */
export interface ToolCall {
  caller: McpCaller;
  services: McpServices;
  limits: McpLimits;
  /** Fires when the client has cancelled the call, or has gone. */
  signal: AbortSignal;
  /** Reports to the client that the call continues, if it wants to know. */
  progress: (message: string) => void;
}

/** A tool: its description for agents, and what it does. A Fault that it throws is an answer for the agent. */
export interface McpTool {
  name: string;
  title: string;
  description: string;
  input: z.ZodObject;
  annotations: { readOnlyHint?: boolean; destructiveHint?: boolean; idempotentHint?: boolean };
  run(input: unknown, call: ToolCall): Promise<object>;
}

/** A tool whose `run` gets its validated input. */
export const defineTool = <S extends z.ZodObject>(
  tool: Omit<McpTool, 'input' | 'run'> & {
    input: S;
    run(input: z.output<S>, call: ToolCall): Promise<object>;
  },
): McpTool => tool as unknown as McpTool;

/** The worker with this ID or name, if the caller may use it; throws a Fault `not_found` otherwise. */
export async function findWorker(
  ref: string,
  { caller, services: { workers } }: Pick<ToolCall, 'caller' | 'services'>,
): Promise<WorkerView> {
  const id = workerId.safeParse(ref).success ? ref : await workers.findId(ref);
  const view = id === undefined ? undefined : await workers.get(id);
  // One answer for both, so that nothing is learned about the workers of others.
  if (view && isVisibleTo(caller, view.labels)) return view;
  throw new Fault('not_found', `No worker ${ref} was created with these tools. The tool list shows them.`);
}

/** Fires at the end of the time, and when the call is cancelled. */
export const untilLateOr = (signal: AbortSignal, seconds: number): AbortSignal =>
  AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(seconds * 1000))]);

/** Of a worker, what an agent needs. */
export const toShortView = ({
  worker_id,
  name,
  agent_type,
  runtime,
  status,
  phase,
  reason,
  message,
  exit_code,
  created_at,
}: WorkerView) => ({
  worker_id,
  name,
  agent_type,
  runtime,
  status,
  phase,
  reason,
  message,
  exit_code,
  created_at,
});
