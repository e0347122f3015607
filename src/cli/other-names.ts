/** What verbs and options of docker, kubectl and E2B are called here, for those who type them from habit. */
import { CommanderError } from 'commander';

export const OTHER_VERBS: Record<string, string> = {
  bash: 'wm exec -it ID',
  commit: 'wm checkpoint ID',
  connect: 'wm exec -it ID',
  container: 'wm ps',
  containers: 'wm ps',
  download: 'wm cp ID:PATH .',
  get: 'wm ps` or `wm pools',
  image: 'wm images ls',
  info: 'wm doctor` or `wm status ID',
  inspect: 'wm describe ID',
  interrupt: 'wm send --interrupt ID',
  kill: 'wm stop ID` or `wm delete ID',
  list: 'wm ps',
  pause: 'wm stop ID',
  pool: 'wm pools',
  prompt: 'wm send ID TEXT',
  resume: 'wm start ID',
  rmi: 'wm images gc',
  shell: 'wm exec -it ID',
  snapshot: 'wm checkpoint ID',
  spawn: 'wm create',
  ssh: 'wm exec -it ID',
  stats: 'wm top',
  submit: 'wm tasks submit',
  task: 'wm tasks',
  unpause: 'wm start ID',
  upload: 'wm cp PATH ID:',
  worker: 'wm ps',
  workers: 'wm ps',
  'images list': 'wm images ls',
  'images prune': 'wm images gc',
  'images rm': 'wm images gc',
  'pools apply': 'wm apply -f FILE',
  'pools describe': 'wm describe pool/NAME',
  'pools get': 'wm describe pool/NAME',
  'pools list': 'wm pools',
  'pools ls': 'wm pools',
  'pools scale': 'wm scale NAME COUNT',
  'tasks describe': 'wm tasks get TASK',
  'tasks kill': 'wm tasks cancel TASK',
  'tasks list': 'wm tasks ls',
  'tasks show': 'wm tasks get TASK',
  'tasks status': 'wm tasks get TASK',
};

const SETTINGS = 'Settings are variables: `HTTP_PORT=8081 wm serve`. `wm config` lists them.';

export const OTHER_OPTIONS: Record<string, string> = {
  'create -d': '`wm create` does not wait, and prints the ID.',
  'create -it': 'Open a terminal afterwards: `wm exec -it ID`.',
  'create -p': 'Make a port a port of this machine afterwards: `wm port-forward ID PORT`.',
  'create -v': 'Copy files into its workspace afterwards: `wm cp PATH ID:`.',
  'delete -f': '`wm delete` also ends a worker that runs.',
  'delete --force': '`wm delete` also ends a worker that runs.',
  'exec -u': 'A command runs as the user of the agent.',
  'exec --user': 'A command runs as the user of the agent.',
  'logs --lines': 'Use --tail.',
  'run -d': 'Use `wm create`, which does not wait.',
  'run -t': 'Create a worker, and open a terminal: `wm exec -it ID`.',
  'run -p': 'Make a port a port of this machine: `wm port-forward ID PORT`.',
  'run -v': 'Copy files into its workspace: `wm cp PATH ID:`.',
  'serve --host': SETTINGS,
  'serve --port': SETTINGS,
  'serve --redis': SETTINGS,
  'serve -d': 'A service keeps it running: docs/deploy.md.',
  'serve -p': SETTINGS,
  'stop -t': 'The time is set with `wm create --stop-grace`.',
  'stop --time': 'The time is set with `wm create --stop-grace`.',
};

/** The note for a command line that names a verb or an option that exists elsewhere only. */
export function otherNameNote(argv: readonly string[], error: unknown): string | undefined {
  if (!(error instanceof CommanderError)) return;
  const [verb = '', next = ''] = argv;
  if (error.code === 'commander.unknownCommand' || error.code === 'commander.excessArguments') {
    const name = OTHER_VERBS[verb] ?? OTHER_VERBS[`${verb} ${next}`];
    return name && `Use \`${name}\`.`;
  }
  if (error.code !== 'commander.unknownOption') return;
  const [, option = ''] = /'(-[^']+)'/.exec(error.message) ?? [];
  return OTHER_OPTIONS[`${verb === 'rm' ? 'delete' : verb} ${option}`];
}
