/** Measures how long `/livez` takes, in a thread of its own, so that the benchmark's own work does not count. */
import { Worker } from 'node:worker_threads';

const PROBE = `
  const { parentPort, workerData: { url, every } } = require('node:worker_threads');
  let ended = false;
  parentPort.once('message', () => { ended = true; });
  (async () => {
    const times = [];
    while (!ended) {
      const began = performance.now();
      const response = await fetch(url);
      await response.arrayBuffer();
      if (response.status !== 200) throw new Error('/livez answered ' + response.status);
      times.push(performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, every));
    }
    parentPort.postMessage(times);
    parentPort.close();
  })();`;

export interface LivezProbe {
  /** Ends the probe; returns all response times in milliseconds. Throws if a response was not 200. */
  end(): Promise<number[]>;
}

/** Requests `/livez` of the server at `base`, again `everyMs` after each response. */
export function startLivezProbe(base: string, everyMs: number): LivezProbe {
  const probe = new Worker(PROBE, { eval: true, workerData: { url: `${base}/livez`, every: everyMs } });
  const times = new Promise<number[]>((resolve, reject) => {
    probe.once('message', resolve);
    probe.once('error', reject);
  });
  times.catch(() => {});
  return {
    end() {
      probe.postMessage('end');
      return times;
    },
  };
}
