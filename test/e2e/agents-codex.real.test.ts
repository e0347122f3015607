import { lockedAgent } from './agent-locked.ts';
import { openAgent } from './agent-open.ts';

openAgent('CODEX');
lockedAgent('CODEX');
