import { lockedAgent } from './agent-locked.ts';
import { openAgent } from './agent-open.ts';

openAgent('GEMINI');
lockedAgent('GEMINI');
