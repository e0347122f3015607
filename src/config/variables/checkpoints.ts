/** Where checkpoints of workspaces are stored, and for how long. */
import { join } from 'node:path';
import { z } from 'zod';
import { parseCheckpointPlace } from '../../model/index.ts';
import { isAbsolutePath, stateHome } from '../cell-location.ts';
import { defineVariable, type Environment, numberVariable, sizeVariable } from '../variable.ts';

/** A wrong WORKER_MANAGER_HOME is an error of its own. */
const homeOf = (env: Environment) => {
  const home = env.WORKER_MANAGER_HOME ?? '';
  return isAbsolutePath(home) ? home : stateHome(env);
};

export const CHECKPOINTS = {
  checkpointDir: defineVariable({
    name: 'CHECKPOINT_DIR',
    schema: z.string().refine((text) => !text.includes('\0') && parseCheckpointPlace(text) !== undefined),
    allowed:
      'an absolute path, s3://BUCKET/PREFIX, or s3+https://HOST/BUCKET/PREFIX, both with an optional ?region=',
    // No cell has a name with a leading dot.
    fallback: (env) => join(homeOf(env), '.checkpoints'),
    help: 'Folder for checkpoints, which may be a network mount that several managers use, or a bucket of S3; each cell has a subfolder.',
  }),
  checkpointRetentionHours: numberVariable(
    'CHECKPOINT_RETENTION_HOURS',
    '24',
    [0, 87_600],
    'hours',
    'How long the last checkpoint of a deleted worker is kept.',
  ),
  checkpointBudgetBytes: sizeVariable(
    'CHECKPOINT_BUDGET',
    '10g',
    'Limit of bytes of all checkpoints of the cell; beyond it, the least recently used are deleted. Also the limit of one archive.',
  ),
} as const;
