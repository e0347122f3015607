import { workspaceSuite } from './workspace-suite.ts';

workspaceSuite('process');
