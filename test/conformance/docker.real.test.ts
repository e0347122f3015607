import { makeDockerSubject } from './docker-subject.ts';
import { runtimeConformance } from './runtime.ts';

runtimeConformance('docker', () => makeDockerSubject());
