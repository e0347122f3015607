import { randomUUID } from 'node:crypto';
import { AGENT_COMMAND } from './agent.ts';
import { type Fingerprint, fingerprint } from './bodies.ts';
import type { DemoEnvironment } from './environment.ts';
import type { DemoOrchestrator, DemoOutput, Worker } from './orchestrator.ts';
import type { Reporter } from './reporter.ts';

/** Number of lines of each worker that pass between two steps, so that there is something to lose. */
const LINES_BETWEEN = 40;
/** Every n-th of the numbered lines is shown. */
const SHOWN_LINES = 20;
const PROMPT = 'Which word is the last of this sentence?';

interface Actor extends Worker {
  /** The agent's, as the wrapper reported it; 0 before. */
  pid: number;
  bodyId: string;
  body: Fingerprint | undefined;
  adopted: boolean;
  answer: string;
}

/** The steps of the demo, in order. Throws if something is not as promised. */
export async function play(
  environment: DemoEnvironment,
  orchestrator: DemoOrchestrator,
  tell: Reporter,
): Promise<void> {
  const scenes = new Scenes(environment, orchestrator, tell);
  await scenes.startManager();
  await scenes.declareWorkers();
  await scenes.readOutput();
  await scenes.sendPrompt();
  await scenes.killManager();
  await scenes.startAgain();
  await scenes.countLines();
  await scenes.deleteWorkers();
}

class Scenes {
  readonly #environment: DemoEnvironment;
  readonly #orchestrator: DemoOrchestrator;
  readonly #tell: Reporter;
  readonly #actors: Actor[] = [];
  #managerPid = 0;

  constructor(environment: DemoEnvironment, orchestrator: DemoOrchestrator, tell: Reporter) {
    this.#environment = environment;
    this.#orchestrator = orchestrator;
    this.#tell = tell;
  }

  async startManager(): Promise<void> {
    this.#tell.step('Start a manager');
    this.#managerPid = this.#environment.manager.start();
    await this.#orchestrator.command({ command: 'list' });
    this.#tell.seen(`process ${this.#managerPid} leads the cell and answers commands`);
  }

  async declareWorkers(): Promise<void> {
    this.#tell.step('Create two workers');
    for (const [at, runtime] of this.#environment.runtimes.entries())
      await this.#declare(`${runtime}-${at + 1}`, runtime);
    await this.#all('to be RUNNING', async ({ id, name, pid }) => {
      const { status, reason, message } = await this.#orchestrator.status(id);
      if (status === 'FAILED' || status === 'STOPPED')
        throw new Error(`${name} is ${status}, ${reason}: ${message}`);
      return status === 'RUNNING' && pid > 0;
    });
    for (const actor of this.#actors) {
      actor.bodyId = (await this.#orchestrator.status(actor.id)).body_id ?? '';
      actor.body = await this.#look(actor);
    }
    this.#tell.seen(`both are RUNNING: ${this.#actors.map(({ body }) => body?.shown).join('; ')}`);
  }

  async readOutput(): Promise<void> {
    this.#tell.step('Read their output');
    await this.#moreLines();
    const counted = this.#actors.map(({ name, checker }) => `${checker.lines} lines of ${name}`);
    this.#tell.seen(`${counted.join(' and ')}, each as printed`);
  }

  async sendPrompt(): Promise<void> {
    this.#tell.step('Send a prompt');
    for (const { id, name } of this.#actors) {
      this.#tell.of(name, `prompt: ${PROMPT}`);
      await this.#orchestrator.prompt(id, PROMPT, randomUUID());
    }
    await this.#all('to answer', ({ answer }) => answer !== '');
    this.#tell.seen(`each answered: ${this.#actors[0]?.answer}`);
  }

  async killManager(): Promise<void> {
    this.#tell.step('Kill the manager');
    const before = this.#actors.map(({ checker }) => checker.lines);
    await this.#environment.manager.kill();
    this.#tell.say(`kill -9 ${this.#managerPid}: no manager is running, and the workers keep running`);
    await this.#moreLines();
    const alone = this.#actors.map(({ checker }, at) => checker.lines - (before[at] ?? 0));
    this.#tell.seen(`${alone.join(' and ')} more lines while no manager was running`);
  }

  async startAgain(): Promise<void> {
    this.#tell.step('Start it again');
    const pid = this.#environment.manager.start();
    await this.#all('to be adopted', ({ adopted }) => adopted);
    for (const actor of this.#actors) {
      const now = await this.#look(actor);
      if (now.exact !== actor.body?.exact)
        throw new Error(`${actor.name} has another body: ${now.shown} instead of ${actor.body?.shown}.`);
      this.#tell.of(actor.name, `the same body: ${now.shown}`);
    }
    this.#tell.seen(`process ${pid} adopted both bodies`);
  }

  async countLines(): Promise<void> {
    this.#tell.step('Count the lines');
    await this.#moreLines();
    for (const { name, checker } of this.#actors) {
      if (checker.faults.length > 0) throw new Error(`${name}: ${checker.faults.slice(0, 5).join('; ')}.`);
      this.#tell.of(name, `lines 1 to ${checker.lines}, seq 1 to ${checker.seq}`);
    }
    const lines = this.#actors.reduce((sum, { checker }) => sum + checker.lines, 0);
    this.#tell.seen(`${lines} lines: none lost, none duplicated, all in order`);
  }

  async deleteWorkers(): Promise<void> {
    this.#tell.step('Delete the workers');
    for (const { id, name } of this.#actors) {
      await this.#orchestrator.command({ command: 'delete', worker_id: id });
      this.#tell.of(name, 'delete accepted');
    }
    await this.#orchestrator.until('the deletion of both workers', async () => {
      const { workers } = await this.#orchestrator.command({ command: 'list' });
      return workers?.length === 0;
    });
    const bodies = await Promise.allSettled(this.#actors.map((actor) => this.#look(actor)));
    if (bodies.some(({ status }) => status === 'fulfilled'))
      throw new Error('A deleted worker still has a body.');
    this.#tell.seen('their bodies have ended and their records are deleted');
  }

  async #declare(name: string, runtime: string): Promise<void> {
    const spec = {
      name,
      runtime,
      agent_type: 'CUSTOM',
      command_line: AGENT_COMMAND,
      start_deadline_seconds: 60,
    };
    const worker = await this.#orchestrator.create(spec);
    const unseen = { pid: 0, bodyId: '', body: undefined, adopted: false, answer: '' };
    const actor: Actor = Object.assign(worker, unseen);
    this.#actors.push(actor);
    this.#tell.of(name, `create accepted: worker ${actor.id}`);
    this.#orchestrator.events(actor.id, ({ type, status, phase, actions }) => {
      actor.adopted ||= type === 'adopted';
      const did = actions.map((line) => ` → ${line}`).join('');
      this.#tell.of(name, `${status} (${type === 'adopted' ? type : phase})${did}`);
    });
    this.#orchestrator.output(actor, (message, numbers) => this.#hear(actor, message, numbers));
  }

  #hear(actor: Actor, message: DemoOutput, numbers: number[]): void {
    const show = (line: string) => this.#tell.of(actor.name, `│ ${line}`.trimEnd());
    for (const number of numbers) if (number <= 3 || number % SHOWN_LINES === 0) show(`line ${number}`);
    if (message.type === 'ready') actor.pid = message.pid ?? 0;
    if (message.type !== 'stdout') {
      show(`${message.type} ${message.content}`);
      return;
    }
    const answer = message.content.split('\n').find((line) => line.startsWith('answer'));
    if (!answer) return;
    actor.answer = answer.replace('answer: ', '');
    show(answer);
  }

  #look({ runtime, bodyId, pid }: Actor): Promise<Fingerprint> {
    return fingerprint(runtime, bodyId, pid, this.#environment.engine?.docker);
  }

  async #moreLines(): Promise<void> {
    const goals = new Map(this.#actors.map((actor) => [actor, actor.checker.lines + LINES_BETWEEN]));
    await this.#all(
      `to print ${LINES_BETWEEN} lines`,
      (actor) => actor.checker.lines >= (goals.get(actor) ?? 0),
    );
  }

  async #all(what: string, holds: (actor: Actor) => boolean | Promise<boolean>): Promise<void> {
    await this.#orchestrator.until(`both workers ${what}`, async () => {
      const each = await Promise.all(this.#actors.map(holds));
      return each.every(Boolean);
    });
  }
}
