/**
 * Detects whether a silent agent is working or hangs. Both known CLIs print nothing for ten minutes or more
 * if their endpoint hangs, and nothing while a long command runs, so silence alone proves nothing: a hang
 * requires silence, no running tool and no CPU usage, all three for the whole time.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Default of `silence_timeout_seconds`: longer than a model is silent, shorter than a user waits. */
export const SILENCE_MS = 300_000;
/**
 * Share of one core above which an agent is working. An idle CLI of Node or Bun, with its timers and
 * collections, stays under one percent; one that reads a stream or computes uses several times this.
 */
const WORKING_SHARE = 0.02;
/** Number of checks within the timeout, so that a hang is detected at most a tenth late. */
const SAMPLES = 10;
const SAMPLE_MIN_MS = 100;
const SAMPLE_MAX_MS = 10_000;
/** Clock ticks a second in /proc, on every Linux that Node runs on (USER_HZ). */
const TICKS = 100;

/** One observation of a turn, by the clock of performance.now(). */
export interface HangSample {
  now: number;
  /** When the agent last wrote a line, or the model sent a byte, or the turn started. */
  signAt: number;
  toolOpen: boolean;
  /** Total CPU time of the agent's processes; undefined if it cannot be read. */
  cpuSeconds: number | undefined;
}

/** A current silence: its start, and the CPU time at its first observation. */
export interface QuietPeriod {
  since: number;
  cpuSeconds: number | undefined;
}

/** The result of one check. Pure. */
export function evaluateQuiet(
  before: QuietPeriod | undefined,
  seen: HangSample,
  silenceMs: number,
): { quiet: QuietPeriod | undefined; silent: boolean } {
  if (seen.toolOpen) return { quiet: undefined, silent: false };
  // After a tool, the silence starts now, because the tool's time does not count.
  if (!before) return { quiet: { since: seen.now, cpuSeconds: seen.cpuSeconds }, silent: false };
  if (seen.signAt > before.since)
    return { quiet: { since: seen.signAt, cpuSeconds: seen.cpuSeconds }, silent: false };
  const elapsed = seen.now - before.since;
  if (elapsed < silenceMs) return { quiet: before, silent: false };
  const used = ((seen.cpuSeconds ?? 0) - (before.cpuSeconds ?? 0)) * 1000;
  if (used / elapsed >= WORKING_SHARE)
    return { quiet: { since: seen.now, cpuSeconds: seen.cpuSeconds }, silent: false };
  return { quiet: before, silent: true };
}

/** Checks one turn until it is stopped; calls `onSilent` once. */
export function detectHang(options: {
  silenceMs: number;
  sample: () => Omit<HangSample, 'now' | 'cpuSeconds'>;
  cpuSeconds: () => number | undefined;
  onSilent: () => void;
}): { stop(): void } {
  const { silenceMs, sample, cpuSeconds, onSilent } = options;
  const begin = performance.now();
  let quiet: QuietPeriod | undefined = { since: begin, cpuSeconds: cpuSeconds() };
  const every = Math.min(Math.max(silenceMs / SAMPLES, SAMPLE_MIN_MS), SAMPLE_MAX_MS);
  const timer = setInterval(() => {
    const current = { ...sample(), now: performance.now(), cpuSeconds: cpuSeconds() };
    const judged = evaluateQuiet(quiet, current, silenceMs);
    quiet = judged.quiet;
    if (!judged.silent) return;
    clearInterval(timer);
    onSilent();
  }, every);
  return { stop: () => clearInterval(timer) };
}

/** CPU time of a process, its group and its descendants, in seconds; undefined without /proc. */
export function readCpuSeconds(root: number): number | undefined {
  let names: string[];
  try {
    names = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return undefined;
  }
  const all = new Map<number, { parent: number; group: number; ticks: number }>();
  for (const name of names) {
    const stat = readStat(name);
    if (stat) all.set(Number(name), stat);
  }
  const ours = new Set(
    [...all].filter(([pid, { group }]) => pid === root || group === root).map(([pid]) => pid),
  );
  // Each round finds the next generation; a chain of parents is no longer than the table.
  for (let grown = true; grown; ) {
    grown = false;
    for (const [pid, { parent }] of all) {
      if (ours.has(pid) || !ours.has(parent)) continue;
      ours.add(pid);
      grown = true;
    }
  }
  let ticks = 0;
  for (const pid of ours) ticks += all.get(pid)?.ticks ?? 0;
  return ticks / TICKS;
}

/** proc_pid_stat(5): after the name in brackets come state, ppid, pgrp, …, and utime to cstime as 14 to 17. */
function readStat(pid: string): { parent: number; group: number; ticks: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [parent = 0, group = 0] = fields.slice(1, 3);
    const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0);
    return { parent, group, ticks };
  } catch {
    return undefined;
  }
}
