import type { BodyDirectory } from './body-directory.ts';
import type { BodyRecord } from './body-record.ts';

/**
 * A body found by its directory and record, or, if `lost` says that one of them is gone, by its processes.
 */
export interface FoundBody {
  dir: BodyDirectory;
  made: BodyRecord;
  /** Identifies the directory; see `BodyDirectory.identity`. */
  identity?: string;
  lost?: 'directory' | 'record';
}
