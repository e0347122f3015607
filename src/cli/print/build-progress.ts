/** Shows the build of an image that a worker waits for, from the worker's status. */
import type { BuildProgress } from '../../images/index.ts';
import type { StatusRecord } from '../../model/index.ts';
import { createProgressBar } from '../images/images-progress.ts';

type BuildStatus = Pick<StatusRecord, 'phase' | 'reason' | 'message'>;

/** `worker:0123456789ab: Step 3/12 : RUN apt-get update`, the message of a worker whose image is being built. */
const MESSAGE = /^\S+: ((?:Step (\d+)\/(\d+) : )?.*)$/s;

/** The step of the build in a status; undefined if it waits for no build. Pure. */
export function toBuildProgress({ phase, reason, message }: BuildStatus): BuildProgress | undefined {
  if (phase !== 'building' || reason !== 'ImageBuilding') return undefined;
  const [, line = message, step = '0', of = '0'] = MESSAGE.exec(message) ?? [];
  return { step: Number(step), of: Number(of), line };
}

/** Shows each new step on the stream; a terminal has a bar that disappears at the end. */
export function createBuildProgress(stream: NodeJS.WriteStream): {
  show: (status: BuildStatus | undefined) => void;
  end: () => void;
} {
  const bar = createProgressBar(stream);
  let last: string | undefined;
  const end = () => {
    if (last !== undefined) bar.end();
    last = undefined;
  };
  return {
    show(status) {
      const progress = status && toBuildProgress(status);
      if (!progress) return end();
      if (progress.line === last) return;
      last = progress.line;
      bar.show(progress);
    },
    end,
  };
}
