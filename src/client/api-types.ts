/** The types of the HTTP API, generated from docs/schema/openapi.json by `npm run generate`. */

export interface paths {
  '/task/{task_id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Show a task and its result */
    get: operations['getTaskOfAnyPool'];
    put?: never;
    post?: never;
    /** Cancel a task */
    delete: operations['cancelTaskOfAnyPool'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/task/submit': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Submit a task */
    post: operations['submitTask'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/checkpoints': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** List all checkpoints, newest first */
    get: operations['listCheckpoints'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/checkpoints/{checkpoint_id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Show a checkpoint, with the spec of its worker */
    get: operations['getCheckpoint'];
    put?: never;
    post?: never;
    /** Delete a checkpoint, and return what it was */
    delete: operations['deleteCheckpoint'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/checkpoints/{checkpoint_id}/archive': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Download the archive of a checkpoint
     * @description A tar, compressed as its `format` says. Its content is that of a worker, so unpack it only where that may be trusted.
     */
    get: operations['downloadCheckpoint'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/events': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Stream the history of all workers
     * @description Each event has its `worker_id`. The last 10,000 events of the cell are kept.
     */
    get: operations['streamEvents'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/images': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** List the worker images, newest first */
    get: operations['listImages'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/nodes': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** List the consumers of tasks */
    get: operations['listNodes'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/pools': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** List all pools and the load of their workers */
    get: operations['listPools'];
    put?: never;
    /** Create or update a pool */
    post: operations['applyPool'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/pools/{name}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Show a pool */
    get: operations['getPool'];
    /** Create or update the pool of that name */
    put: operations['putPool'];
    post?: never;
    /** Delete a pool after its workers have finished their tasks */
    delete: operations['deletePool'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/pools/{name}/scale': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Set the number of workers of a pool */
    post: operations['scalePool'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/stats': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Count workers by status and runtime, and tasks by queue */
    get: operations['getStats'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/tasks': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** List tasks: running, queued in the order in which they are taken, ended newest first */
    get: operations['listTasks'];
    put?: never;
    /** Submit a task, or many as JSON lines */
    post: operations['createTask'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/tasks/{task_id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Show a task and its result */
    get: operations['getTask'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/tasks/{task_id}/cancel': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Cancel a task: a queued one immediately, a running one once its handler has been stopped */
    post: operations['cancelTask'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/tasks/{task_id}/retry': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Queue a failed or cancelled task again, with the same ID and payload and all its retries */
    post: operations['retryTask'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/usage': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List CPU and memory of running workers
     * @description As of the last check (`HEALTH_CHECK_INTERVAL`). Workers that have not been checked are missing.
     */
    get: operations['listUsage'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/webhooks': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** List the last deliveries to webhooks, the newest first */
    get: operations['listWebhooks'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** List workers in the order of their creation */
    get: operations['listWorkers'];
    put?: never;
    /**
     * Create a worker
     * @description With `wait`, the response comes when the worker is in that state.
     */
    post: operations['createWorker'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Show a worker
     * @description With `wait`, the response comes when the worker is in that state.
     */
    get: operations['getWorker'];
    put?: never;
    post?: never;
    /**
     * End a worker and delete its record
     * @description Deleting a deleted worker succeeds.
     */
    delete: operations['deleteWorker'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/archive/{path}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read a folder as a tar archive
     * @description The names in the archive are relative to the folder. Symbolic links are in the archive as links. A response that was cut is not a complete archive.
     */
    get: operations['readArchive'];
    /**
     * Unpack a tar archive into a folder
     * @description The folder is created if it is missing. Each file appears when it is complete. Entries that lead out of the folder, also through links, and devices are refused; owners, setuid and setgid are ignored. Entries before one that is refused stay.
     */
    put: operations['writeArchive'];
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/changes': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Show what has changed in the workspace of a worker, with git
     * @description With untracked files, and without those that git ignores. In a workspace that is not a repository, all files are new. The worker needs git.
     */
    get: operations['getChanges'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/checkpoints': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the checkpoints of a worker, newest first
     * @description By its ID, also those of a deleted worker.
     */
    get: operations['listWorkerCheckpoints'];
    put?: never;
    /**
     * Save the workspace of a running worker
     * @description All files, untracked ones and those of git as well, without what `.workerignore` names; and the conversation of the agent after its last turn. The agent is not stopped: a file that it writes meanwhile is saved as it is read.
     */
    post: operations['createCheckpoint'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/dockerfile': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Show the Dockerfile of the image that the manager builds for a worker
     * @description As this manager would build it now. 422 for workers without such an image: those of the process runtime, and those with an image of their own. `wm images build --directory` also writes the files that it copies.
     */
    get: operations['getWorkerDockerfile'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/events': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Stream a worker's history
     * @description Ends with `event: end` when the worker was deleted.
     */
    get: operations['streamWorkerEvents'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/exec': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Run a command in a worker
     * @description It runs as the agent's user, with `allowed_commands` only. The response is its result, or a stream if `Accept` asks for one. Unless it is detached, it ends with all its children when the client disconnects.
     */
    post: operations['execInWorker'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/explain': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Show what the manager would do with a worker (dry run) */
    get: operations['explainWorker'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/files/{path}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read a file, or list a folder
     * @description Without parameters, the content of a file; a header `Range` selects a part, `If-None-Match` skips a file that the client has, and `If-Match` requires that it is still the same. `list` gives a page of a folder, and `stat` what is known of one file. Symbolic links are followed if they stay in the workspace.
     */
    get: operations['readFile'];
    /**
     * Write a file
     * @description The body of the request becomes the content, of any size. The file appears when it is complete; an upload that is cut leaves nothing. Missing folders are created. With `If-Match`, only the version with this `ETag` is replaced; with `If-None-Match: *`, only a file that does not exist is written.
     */
    put: operations['writeFile'];
    /**
     * Create a folder, or move a file or folder
     * @description Either `mkdir` or `move_to` is required. Missing folders above are created. A move replaces a file at the new path; with `If-Match`, only the version with this `ETag` is moved.
     */
    post: operations['postFile'];
    /**
     * Remove a file or folder
     * @description A symbolic link is removed, and not what it leads to. With `If-Match`, only the version with this `ETag` is removed.
     */
    delete: operations['deleteFile'];
    options?: never;
    /**
     * Get size, permissions and time of a file or folder as headers
     * @description The headers are `Content-Length`, `ETag`, `Last-Modified` and `X-File-Type`, `-Mode`, `-Size`, `-Uid`, `-Gid` and `-Modified-At`.
     */
    head: operations['headFile'];
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/interrupt': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Interrupt the current turn of a worker */
    post: operations['interruptWorker'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/output': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Stream a worker's output
     * @description Ends with `event: end` when the worker has ended and all its output was sent.
     */
    get: operations['streamOutput'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/ports/{port}:link': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Create a link to a port of a worker, for a browser
     * @description The link is valid for a minute and once; it gives the browser a cookie for this port, for 12 hours. Its host is `PORT-WORKER_ID.` and the host of this request.
     */
    post: operations['createPortLink'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/ports/{port}:tcp': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Connect to a port of a worker with TCP, over WebSocket
     * @description Binary frames are bytes; the text frame `{"end":true}` ends one direction. `wm port-forward` uses it.
     */
    get: operations['connectToPort'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/ports/{port}/{path}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Send a request to a program in a worker
     * @description Of any method: it is passed on with its body, and so is the answer. Credentials and cookies are not. A change of protocol, such as to WebSocket, is passed on too.
     */
    get: operations['requestPort'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/processes': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the processes that clients have started in a worker
     * @description Those that run, and the last detached ones that have ended.
     */
    get: operations['listProcesses'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/processes/{process_id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Show a process */
    get: operations['getProcess'];
    put?: never;
    post?: never;
    /** Kill a process with all its children, and delete what is kept of it */
    delete: operations['deleteProcess'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/processes/{process_id}/output': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Read the output of a process, from any offset to its end
     * @description Output that was dropped is reported by one event `lost`. While a client reads, the process waits for it.
     */
    get: operations['streamProcessOutput'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/processes/{process_id}/signal': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Send a signal to a process and its children */
    post: operations['signalProcess'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/processes/{process_id}/stdin': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Write to the standard input of a process
     * @description The body of the request is written as it is, of any size, as fast as the process reads.
     */
    post: operations['writeToProcess'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/prompt': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /**
     * Send a prompt to the agent of a worker
     * @description With `wait=turn`, the response is the last entry of the turn: `turn_completed`, `turn_failed`, `completed` or `waiting_for_input`. A program with the protocol `lines` has no turns and gets 422.
     */
    post: operations['promptWorker'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/pty': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * View a terminal, or a new one, over WebSocket
     * @description Binary frames are bytes. Text frames are JSON: a client sends `{"resize": {"cols": 80, "rows": 24}}`, and gets `{"terminal": …}` first, `{"resize": …}` when the size changes, and `{"exit": {"exit_code": 0, "signal": null}}` last. See docs/terminals.md.
     */
    get: operations['viewTerminal'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/ptys': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * List the terminals of a worker
     * @description Those whose program runs, and the last ones that have ended.
     */
    get: operations['listTerminals'];
    put?: never;
    /**
     * Open a terminal in a worker
     * @description Its program runs as the agent's user, with `allowed_commands` only. View it at `…/pty?id=`: the first viewer gets all of its output.
     */
    post: operations['openTerminal'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/ptys/{pty_id}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Show a terminal */
    get: operations['getTerminal'];
    put?: never;
    post?: never;
    /** Close a terminal: kill its program with all its children */
    delete: operations['closeTerminal'];
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/restart': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Replace the body of a worker by a new one */
    post: operations['restartWorker'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/spec': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /** Show the spec of a worker, as it was accepted */
    get: operations['getWorkerSpec'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/start': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** Start a stopped or failed worker again */
    post: operations['startWorker'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/stop': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    get?: never;
    put?: never;
    /** End the body of a worker and keep its record */
    post: operations['stopWorker'];
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
  '/v1/workers/{worker_id}/watch/{path}': {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    /**
     * Follow the changes in a folder
     * @description Events begin after `watching`. After `overflow`, changes were missed: list the folder again.
     */
    get: operations['watchFiles'];
    put?: never;
    post?: never;
    delete?: never;
    options?: never;
    head?: never;
    patch?: never;
    trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    /** @description A saved copy of the workspace of a worker. */
    Checkpoint: {
      /** @description size of the archive */
      bytes: number;
      checkpoint_id: string;
      /** @description whether it has the agent's conversation */
      conversation: boolean;
      created_at: string;
      /** @description when it is deleted, because its worker was */
      expires_at?: string;
      /** @enum {string} */
      format: 'tar.zst' | 'tar.gz';
      /** @description the body that it was taken from */
      incarnation: number;
      /** @description hash of the list of its chunks; the same for the same files */
      sha256: string;
      /**
       * @description why it was taken
       * @enum {string}
       */
      trigger: 'request' | 'turn' | 'stop' | 'interval';
      /** @description turns that had ended in that body */
      turns?: number;
      /** @description files that could not be saved */
      warnings?: string[];
      /** @description the worker that it is a copy of, which may be deleted */
      worker_id: string;
      worker_name?: string;
    };
    /** @description A checkpoint with the spec of its worker. */
    CheckpointDetails: {
      /** @description size of the archive */
      bytes: number;
      checkpoint_id: string;
      /** @description whether it has the agent's conversation */
      conversation: boolean;
      created_at: string;
      /** @description when it is deleted, because its worker was */
      expires_at?: string;
      /** @enum {string} */
      format: 'tar.zst' | 'tar.gz';
      /** @description the body that it was taken from */
      incarnation: number;
      /** @description hash of the list of its chunks; the same for the same files */
      sha256: string;
      /** @description of its worker, as accepted */
      spec: {
        /** @enum {string} */
        agent_type: 'CLAUDE' | 'FACTORY' | 'CODEX' | 'CUSTOM' | 'TASK';
        agent_version?: string;
        allowed_commands?: string[];
        checkpoint?: {
          interval_seconds?: number;
          keep?: number;
          on: ('turn' | 'stop' | 'interval')[];
        };
        command_line?: string[];
        commands?: boolean;
        concurrency?: number;
        env?: {
          [key: string]: string;
        };
        exit_after_prompt?: boolean;
        from_checkpoint?: string;
        handlers?: string[];
        idle_timeout_seconds?: number;
        image?: string;
        instructions?: string;
        /** @default 86400 */
        keep_finished_seconds: number;
        labels?: {
          [key: string]: string;
        };
        max_job_time_seconds?: number;
        max_restarts?: number;
        modules?: ('GIT' | 'GITHUB_CLI' | 'COPIER' | 'CURL' | 'BUILD' | 'DOCKER')[];
        name?: string;
        packages?: string[];
        pool?: string;
        pool_revision?: string;
        ports?: 'any' | number[];
        prompt?: string;
        /** @enum {string} */
        protocol?: 'lines' | 'json' | 'acp';
        requirements?: string[];
        resources?: {
          cpus?: number;
          memory?: string;
          pids?: number;
        };
        /**
         * @default never
         * @enum {string}
         */
        restart_policy: 'never' | 'on-failure' | 'always';
        /** @enum {string} */
        runtime: 'docker' | 'process';
        secrets?: string[];
        silence_timeout_seconds?: number;
        /** @default 120 */
        start_deadline_seconds: number;
        /** @default 10 */
        stop_grace_seconds: number;
        ttl_seconds?: number;
        /** @constant */
        warm?: true;
        webhooks?: {
          secret: string;
          types?: (
            | 'worker.ready'
            | 'worker.restarting'
            | 'worker.stopped'
            | 'worker.failed'
            | 'worker.deleted'
          )[];
          url: string;
        }[];
        worker_type?: string;
        workspace?: {
          /** @enum {string} */
          persist?: 'worker' | 'body';
          size?: string;
          source?: {
            git: {
              depth?: number;
              ref?: string;
              url: string;
            };
          };
        };
      };
      /**
       * @description why it was taken
       * @enum {string}
       */
      trigger: 'request' | 'turn' | 'stop' | 'interval';
      /** @description turns that had ended in that body */
      turns?: number;
      /** @description files that could not be saved */
      warnings?: string[];
      /** @description the worker that it is a copy of, which may be deleted */
      worker_id: string;
      worker_name?: string;
    };
    /** @description The Dockerfile of the image of a worker. */
    Dockerfile: {
      dockerfile: string;
      /** @description `worker:<hash>` of its recipe */
      image: string;
    };
    /** @description A request that was refused or failed. */
    Error: {
      /** @description the message again, for clients of FastAPI */
      detail: string;
      error: {
        /** @enum {string} */
        code:
          | 'invalid_command'
          | 'not_found'
          | 'conflict'
          | 'unsupported'
          | 'capacity'
          | 'unavailable'
          | 'internal';
        /** @description one for each wrong field */
        issues?: {
          message: string;
          path: string;
        }[];
        message: string;
        /** @description one word for some errors, such as `body_lost` */
        reason?: string;
      };
      /** @description the worker that was waited for */
      worker_id?: string;
    };
    /** @description An event of the output of a process. */
    ExecEvent: {
      /** @description JSON; `exit` is always the last event, and without it the connection was cut */
      data: string;
      /** @enum {string} */
      event: 'started' | 'stdout' | 'stderr' | 'lost' | 'exit';
      /** @description the offset from which reading continues after this event */
      id?: string;
    };
    /** @description A command to run in a worker. */
    ExecRequest: {
      /** @description program and arguments; either this or `shell` */
      command?: string[];
      /** @description directory, by default the workspace, to which it is relative */
      cwd?: string;
      /** @description do not wait: it outlives this request, and ends with the body */
      detach?: boolean;
      /** @description variables in addition to the agent's */
      env?: {
        [key: string]: string;
      };
      /** @description keep standard input open for `…/processes/{process_id}/stdin` */
      open_stdin?: boolean;
      /** @description a command line for `/bin/sh` */
      shell?: string;
      /** @description the whole standard input, as text */
      stdin?: string;
      /** @description the same, as bytes */
      stdin_base64?: string;
      /** @description it is ended after this time, with SIGTERM and then SIGKILL */
      timeout_seconds?: number;
    };
    /** @description The end of a command, and its output. */
    ExecResult: {
      /** @description why it was refused, not started or killed */
      error?: string;
      /** @description as a shell reports it: 128 and the signal, 124 after the timeout, 126 if it was refused, 127 if not found */
      exit_code: number;
      /**
       * @description the kernel killed it, because the body's memory was used up
       * @constant
       */
      oom?: true;
      process_id: string;
      /** @description the signal that ended it, such as `SIGKILL` */
      signal: string | null;
      stderr: string;
      /** @description the bytes of `stderr`, if they are not UTF-8 */
      stderr_base64?: string;
      /** @description U+FFFD stands for bytes that are not UTF-8 */
      stdout: string;
      /** @description the bytes of `stdout`, if they are not UTF-8 */
      stdout_base64?: string;
      /**
       * @description `timeout_seconds` was over
       * @constant
       */
      timed_out?: true;
      /**
       * @description only the end of the output, at most 4 MiB, is here
       * @constant
       */
      truncated?: true;
    };
    /** @description What was observed, and what the manager would do next. */
    Explanation: {
      decision: {
        rule: string;
      } & {
        [key: string]: unknown;
      };
      desired: string;
      generation: number;
      leader: {
        epoch: number;
        owner: string;
      } | null;
      worker_id: string;
    } & {
      [key: string]: unknown;
    };
    /** @description A change in a folder. A move is a `remove` and a `create`. */
    FileEvent: {
      /** @description JSON with `path`, `name` and `type`; `overflow` says that changes were missed */
      data: string;
      /** @enum {string} */
      event: 'watching' | 'create' | 'write' | 'remove' | 'overflow';
    };
    /** @description A file, folder or link in the workspace of a worker. */
    FileInfo: {
      /** @description the entity tag, which changes with the content: for `If-Match` and `If-None-Match` */
      etag: string;
      gid: number;
      /** @description permissions, such as `0644` */
      mode: string;
      modified_at: string;
      /** @description the name; bytes that are not UTF-8 are replaced by U+FFFD */
      name: string;
      /** @description from the workspace, percent-encoded as in URLs, so that every name can be written */
      path: string;
      /** @description bytes */
      size: number;
      /** @description what a symbolic link contains */
      target?: string;
      /**
       * @description `other` is a pipe, a socket or a device
       * @enum {string}
       */
      type: 'file' | 'directory' | 'symlink' | 'other';
      uid: number;
    };
    /** @description A worker image. */
    Image: {
      agent_type: string;
      /** Format: date-time */
      created_at: string;
      /** @description holders that are about to use it */
      held_by: string[];
      id: string;
      /**
       * Format: date-time
       * @description absent if no use is recorded
       */
      last_used_at?: string;
      modules: string[];
      /** @description `worker:<hash>` of its recipe */
      name: string;
      /** @description names that a user has added */
      other_names: string[];
      /** @description including shared layers */
      size_bytes: number;
      /** @description IDs of workers, and names of other containers */
      used_by: string[];
    };
    /** @description A consumer of tasks with a node API. */
    Node: {
      active_tasks: number;
      /** @description 100 is one core */
      cpu_percent: number | null;
      /** @description started by hand: the manager does not stop it */
      external: boolean;
      /** @description 100 is its limit */
      memory_percent: number | null;
      pool: string;
      slots: number | null;
      started_at: string;
      /** @enum {string} */
      state: 'starting' | 'idle' | 'busy' | 'paused' | 'draining';
      /** @description URL of its node API */
      url: string | null;
      worker_id: string;
    };
    /** @description An entry of a worker's output. */
    OutputEntry: {
      content: string;
      incarnation: number;
      request_id?: string;
      seq: number;
      timestamp: string;
      type: string;
    } & {
      [key: string]: unknown;
    };
    /** @description A pool of workers. */
    Pool: {
      /** Format: date-time */
      created_at: string;
      /** @description its workers drain, then it is deleted */
      deleting: boolean;
      generation: number;
      name: string;
      /** @description the pool as it was applied, with its defaults */
      spec: {
        autoscale?: {
          /** @default 15 */
          down_cooldown_seconds: number;
          /** @default 60 */
          stabilization_seconds: number;
          target?: number;
          /** @default 0 */
          up_cooldown_seconds: number;
        };
        /** @default false */
        commands: boolean;
        /** @default 1 */
        concurrency: number;
        count?: number;
        cpus?: number;
        drain_seconds?: number;
        env?: {
          [key: string]: string;
        };
        /** @default auto */
        execution_mode:
          | ('docker' | 'direct' | 'auto')
          | {
              direct: number;
              docker: number;
            };
        handlers?: string[];
        image?: string;
        labels?: {
          [key: string]: string;
        };
        max?: number;
        max_job_time?: 'none' | number;
        memory_limit?: string;
        min?: number;
        modules?: ('GIT' | 'GITHUB_CLI' | 'COPIER' | 'CURL' | 'BUILD' | 'DOCKER')[];
        name: string;
        packages?: string[];
        requirements?: string[];
        secrets?: string[];
        tasks?: {
          max_retries?: number;
          queue_size?: number;
          timeout_seconds?: number;
        };
        template?: {
          /** @enum {string} */
          agent_type: 'CLAUDE' | 'FACTORY' | 'CODEX' | 'CUSTOM';
          agent_version?: string;
          allowed_commands?: string[];
          checkpoint?: {
            interval_seconds?: number;
            keep?: number;
            on: ('turn' | 'stop' | 'interval')[];
          };
          command_line?: string[];
          commands?: boolean;
          concurrency?: number;
          env?: {
            [key: string]: string;
          };
          from_checkpoint?: string;
          handlers?: string[];
          idle_timeout_seconds?: number;
          image?: string;
          instructions?: string;
          /** @default 86400 */
          keep_finished_seconds: number;
          labels?: {
            [key: string]: string;
          };
          max_job_time_seconds?: number;
          max_restarts?: number;
          modules?: ('GIT' | 'GITHUB_CLI' | 'COPIER' | 'CURL' | 'BUILD' | 'DOCKER')[];
          packages?: string[];
          ports?: 'any' | number[];
          /** @enum {string} */
          protocol?: 'lines' | 'json' | 'acp';
          requirements?: string[];
          resources?: {
            cpus?: number;
            memory?: string;
            pids?: number;
          };
          /**
           * @default always
           * @enum {string}
           */
          restart_policy: 'never' | 'on-failure' | 'always';
          secrets?: string[];
          silence_timeout_seconds?: number;
          /** @default 120 */
          start_deadline_seconds: number;
          /** @default 10 */
          stop_grace_seconds: number;
          ttl_seconds?: number;
          webhooks?: {
            secret: string;
            types?: (
              | 'worker.ready'
              | 'worker.restarting'
              | 'worker.stopped'
              | 'worker.failed'
              | 'worker.deleted'
            )[];
            url: string;
          }[];
          worker_type?: string;
          workspace?: {
            /** @enum {string} */
            persist?: 'worker' | 'body';
            size?: string;
            source?: {
              git: {
                depth?: number;
                ref?: string;
                url: string;
              };
            };
          };
        };
        update?: {
          /** @default 1 */
          max_surge: number;
          /** @default 0 */
          max_unavailable: number;
          /** @default 1 */
          min_ready_seconds: number;
          /** @default 600 */
          progress_deadline_seconds: number;
        };
        warm?: number;
        webhooks?: {
          secret: string;
          types?: (
            | 'worker.ready'
            | 'worker.restarting'
            | 'worker.stopped'
            | 'worker.failed'
            | 'worker.deleted'
          )[];
          url: string;
        }[];
        worker_type?: string;
      };
      /** @description absent until a manager has reconciled it */
      status?: {
        active?: number;
        busy: number;
        current: number;
        desired: number;
        draining: number;
        failing: number;
        idle: number;
        message: string;
        next_retry_at?: string;
        observed_generation: number;
        /** @enum {string} */
        phase: 'progressing' | 'ready' | 'degraded' | 'stopped' | 'deleting';
        queued?: number;
        ready: number;
        reason: string;
        revision: string;
        scaled_at?: string;
        starting: number;
        updated: number;
        warm: number;
      };
      worker_type: string;
    };
    /** @description A link to a port of a worker, for a browser. */
    PortLink: {
      /** @description when the URL is not valid any more */
      expires_at: string;
      /** @description for a browser; it works once */
      url: string;
    };
    /** @description A process that a client has started in a worker. */
    Process: {
      command?: string[];
      cwd: string;
      /** @description it outlives the client that started it */
      detached: boolean;
      ended_at?: string;
      /** @description why it was refused, not started or killed */
      error?: string;
      /** @description as a shell reports it: 128 and the signal, 124 after the timeout, 126 if it was refused, 127 if not found */
      exit_code?: number;
      /**
       * @description the kernel killed it, because the body's memory was used up
       * @constant
       */
      oom?: true;
      /** @description bytes of both output streams so far: the offset of the next one */
      output_bytes: number;
      /** @description in the body */
      pid?: number;
      process_id: string;
      shell?: string;
      /** @description the signal that ended it, such as `SIGKILL` */
      signal?: string | null;
      started_at: string;
      /** @enum {string} */
      status: 'running' | 'ended';
      /** @description whether its standard input can be written to */
      stdin_open: boolean;
      /**
       * @description `timeout_seconds` was over
       * @constant
       */
      timed_out?: true;
    };
    /** @description A target of the HTTP service discovery of Prometheus. */
    ScrapeTarget: {
      labels: {
        [key: string]: string;
      };
      targets: string[];
    };
    /** @description The workers and queues of the cell in numbers. */
    Stats: {
      /**
       * Format: date-time
       * @description when it was read; at most a second ago
       */
      at: string;
      /** @description by pool, also of pools that are not declared */
      queues: {
        [key: string]: {
          active: number;
          /** @description whose result is still kept */
          completed: number;
          /** @description part of `queued` */
          delayed: number;
          failed: number;
          /** @description waiting tasks, including those that wait for their backoff */
          queued: number;
        };
      };
      /** @description the sum of all queues */
      tasks: {
        active: number;
        /** @description whose result is still kept */
        completed: number;
        /** @description part of `queued` */
        delayed: number;
        failed: number;
        /** @description waiting tasks, including those that wait for their backoff */
        queued: number;
      };
      worker_stats: components['schemas']['WorkerStats'];
      workers: {
        by_agent_type: {
          [key: string]: number;
        };
        /** @description `external`: nodes that were started manually */
        by_runtime: {
          [key: string]: number;
        };
        by_status: {
          [key: string]: number;
        };
        /** @description of all workers at their last check; 100 is one core */
        cpu_percent: number;
        /** @description of all workers at their last check */
        memory_bytes: number;
        total: number;
      };
    };
    /** @description One server-sent event. */
    StreamEvent: {
      /** @description the entry as JSON */
      data: string;
      /** @description type of the entry; `end` for the last event */
      event: string;
      /** @description ID of the entry in its stream, for Last-Event-ID; the last event has none */
      id?: string;
    };
    /** @description A task, its state, and its result or error. */
    Task: {
      attempts: number;
      cancelled: boolean;
      completed_at: string | null;
      error: {
        message: string;
        traceback?: string;
        type: string;
      } | null;
      /** @description the error in one line */
      error_message: string | null;
      last_error?: {
        message: string;
        traceback?: string;
        type: string;
      };
      max_retries: number;
      /** @description RFC 3339 in UTC */
      next_attempt_at?: string;
      /** @description only in lists: fields that are left out because they are long */
      omitted?: ('result' | 'error' | 'progress')[];
      pool: string;
      /** @enum {string} */
      priority: 'low' | 'normal' | 'high' | 'critical';
      progress: unknown;
      /** @description RFC 3339 in UTC */
      queued_at: string;
      /** @description what the function returned; null until completed */
      result: unknown;
      started_at: string | null;
      /** @enum {string} */
      status: 'queued' | 'running' | 'completed' | 'failed';
      task_id: string;
      worker_id: string | null;
    };
    /** @description An accepted task. The same task_id again gets its present state. */
    TaskReceipt: {
      pool: string;
      /** @description 1 for the next to be taken; 0 if it is no longer queued */
      position: number;
      /** @enum {string} */
      status: 'queued' | 'running' | 'completed' | 'failed';
      task_id: string;
      /** @description why the task may wait long; from the manager only */
      warning?: string;
    };
    /** @description A task for a pool: a function call, a command or a prompt. */
    TaskSubmission: {
      backoff?: {
        /** @default 1 */
        delay_seconds?: number;
        /** @default 300 */
        max_delay_seconds?: number;
        /**
         * @default exponential
         * @enum {string}
         */
        type?: 'fixed' | 'exponential';
      };
      max_losses?: number;
      max_retries?: number;
      payload:
        | {
            args?: unknown[];
            function: string;
            kwargs?: {
              [key: string]: unknown;
            };
          }
        | {
            command: string[];
          }
        | {
            prompt: string;
          };
      /** @description the only pool by default, or `default` */
      pool?: string;
      /**
       * @default normal
       * @enum {string}
       */
      priority?: 'low' | 'normal' | 'high' | 'critical';
      task_id?: string;
      timeout_seconds?: number;
      traceparent?: string;
    };
    /** @description A terminal that a client has opened in a worker. */
    Terminal: {
      cols: number;
      command: string[];
      cwd: string;
      ended_at?: string;
      /** @description as a shell reports it: 128 and the signal */
      exit_code?: number;
      /** @description in the body */
      pid: number;
      pty_id: string;
      rows: number;
      /** @description the signal that ended it, such as `SIGKILL` */
      signal?: string | null;
      started_at: string;
      /** @enum {string} */
      status: 'running' | 'ended';
      /** @description clients that view it now */
      viewers: number;
    };
    /** @description A terminal to open in a worker. */
    TerminalRequest: {
      /**
       * @description columns, until a viewer with a size attaches
       * @default 80
       */
      cols?: number;
      /** @description program and arguments; by default a shell */
      command?: string[];
      /** @description directory, by default the workspace, to which it is relative */
      cwd?: string;
      /** @description variables in addition to the agent's */
      env?: {
        [key: string]: string;
      };
      /**
       * @description the terminal is closed when it had no viewers for this time
       * @default 600
       */
      linger_seconds?: number;
      /** @default 24 */
      rows?: number;
    };
    /** @description CPU and memory of a worker at its last check. */
    Usage: {
      /** Format: date-time */
      checked_at: string;
      /** @description between the last two checks; 100 is one core. null after the first */
      cpu_percent: number | null;
      /** @description null if it cannot be measured */
      memory_bytes: number | null;
      /** @description number of processes; null if it cannot be measured */
      pids: number | null;
      worker_id: string;
    };
    /** @description A message for the URL of one webhook. */
    WebhookDelivery: {
      attempts: number;
      /** Format: date-time */
      created_at: string;
      /** @description why the last attempt failed */
      error?: string;
      /** Format: date-time */
      last_attempt_at?: string;
      /** @description the header `webhook-id`, the same for every attempt and URL */
      message_id: string;
      /**
       * Format: date-time
       * @description set while it is pending after a failed attempt
       */
      next_attempt_at?: string;
      /** @description why the worker changed, such as `OOMKilled` */
      reason: string;
      /** @description status of the last response */
      response_status?: number;
      /** @enum {string} */
      state: 'pending' | 'delivered' | 'failed';
      /** @description such as `worker.failed` */
      type: string;
      /** @description without what may be secret in it */
      url: string;
      worker_id: string;
    };
    /** @description A worker: what was asked for, and what was observed. */
    Worker: {
      /** @enum {string} */
      agent_type: 'CLAUDE' | 'FACTORY' | 'CODEX' | 'CUSTOM' | 'TASK';
      /** @description RFC 3339 in UTC */
      created_at: string;
      /** @enum {string} */
      desired: 'running' | 'stopped' | 'deleted';
      /** @description of the last body that ended */
      exit_code: number | null;
      finished_at: string | null;
      /** @description increases with every accepted change; the ETag */
      generation: number;
      image: string | null;
      /** @description attempt number of the worker's body */
      incarnation: number;
      ip_address: string | null;
      labels: {
        [key: string]: string;
      };
      /** @description one sentence for people */
      message: string;
      name: string | null;
      next_retry_at: string | null;
      /** @description URL of a task worker's node API */
      node_url: string | null;
      /** @description the generation that the status is based on */
      observed_generation: number;
      /** @description the detailed state, such as `queued`, `booting`, `ready` or `backoff` */
      phase: string;
      /** @description the pool that created it */
      pool: string | null;
      /** @description one word for programs; empty if there is nothing to report */
      reason: string;
      restarts: number;
      running_at: string | null;
      runtime: ('docker' | 'process') | null;
      started_at: string | null;
      /** @enum {string} */
      status: 'STARTING' | 'RUNNING' | 'STOPPED' | 'FAILED';
      worker_id: string;
    };
    /** @description How many ready workers of each type are busy and idle. */
    WorkerStats: {
      [key: string]: {
        busy: number;
        idle: number;
      };
    };
  };
  responses: never;
  parameters: {
    /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
    IdempotencyKey: string;
  };
  requestBodies: never;
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
  getTaskOfAnyPool: {
    parameters: {
      query?: {
        /** @description needed if two pools have a task with that ID */
        pool?: string;
        /** @description why it is cancelled */
        reason?: string;
      };
      header?: never;
      path: {
        /** @example count-2 */
        task_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Task'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  cancelTaskOfAnyPool: {
    parameters: {
      query?: {
        /** @description needed if two pools have a task with that ID */
        pool?: string;
        /** @description why it is cancelled */
        reason?: string;
      };
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path: {
        /** @example count-2 */
        task_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Task'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  submitTask: {
    parameters: {
      query?: never;
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "task_id": "count-2",
         *       "pool": "text",
         *       "payload": {
         *         "command": [
         *           "date"
         *         ]
         *       }
         *     }
         */
        'application/json': components['schemas']['TaskSubmission'];
      };
    };
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['TaskReceipt'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The body is too long. */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  listCheckpoints: {
    parameters: {
      query?: {
        /** @description next_cursor of the previous page */
        cursor?: string;
        /** @example 20 */
        limit?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            items: components['schemas']['Checkpoint'][];
            next_cursor: string | null;
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getCheckpoint: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /**
         * @description ID of the checkpoint
         * @example 3c9d1f7e-52b8-4a60-8e1d-7f0a2b4c6d98
         */
        checkpoint_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['CheckpointDetails'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  deleteCheckpoint: {
    parameters: {
      query?: never;
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path: {
        /**
         * @description ID of the checkpoint
         * @example 3c9d1f7e-52b8-4a60-8e1d-7f0a2b4c6d98
         */
        checkpoint_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Checkpoint'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, the name is taken, or the key is that of another request. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  downloadCheckpoint: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /**
         * @description ID of the checkpoint
         * @example 3c9d1f7e-52b8-4a60-8e1d-7f0a2b4c6d98
         */
        checkpoint_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The archive. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/gzip': string;
          'application/zstd': string;
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  streamEvents: {
    parameters: {
      query?: {
        /**
         * @description `false`: end at the present end instead of waiting for more
         * @example false
         */
        follow?: 'true' | 'false';
        /**
         * @description begin after this entry ID, at this time (RFC 3339), or this long ago (`10m`)
         * @example 10m
         */
        since?: string;
        /** @description begin with the last entries */
        tail?: number;
      };
      header?: {
        /** @description continue after this event; before `since` and `tail` */
        'last-event-id'?: string;
      };
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Server-sent events, each with the fields of the schema. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'text/event-stream': components['schemas']['StreamEvent'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  listImages: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            items: components['schemas']['Image'][];
            next_cursor: null;
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  listNodes: {
    parameters: {
      query?: {
        /** @description prometheus_sd: as targets for Prometheus */
        format?: 'json' | 'prometheus_sd';
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json':
            | {
                items: components['schemas']['Node'][];
                next_cursor: null;
              }
            | components['schemas']['ScrapeTarget'][];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  listPools: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            pools: components['schemas']['Pool'][];
            worker_stats: components['schemas']['WorkerStats'];
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  applyPool: {
    parameters: {
      query?: never;
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "name": "text",
         *       "count": 0,
         *       "execution_mode": "direct",
         *       "commands": true,
         *       "tasks": {
         *         "max_retries": 1
         *       }
         *     }
         */
        'application/json': {
          autoscale?: {
            /** @default 15 */
            down_cooldown_seconds?: number;
            /** @default 60 */
            stabilization_seconds?: number;
            target?: number;
            /** @default 0 */
            up_cooldown_seconds?: number;
          };
          /** @default false */
          commands?: boolean;
          /** @default 1 */
          concurrency?: number;
          count?: number;
          cpus?: number;
          drain_seconds?: number;
          env?: {
            [key: string]: string;
          };
          /** @default auto */
          execution_mode?:
            | ('docker' | 'direct' | 'auto')
            | {
                direct: number;
                docker: number;
              };
          handlers?: string[];
          image?: string;
          labels?: {
            [key: string]: string;
          };
          max?: number;
          max_job_time?: 'none' | (number | string);
          memory_limit?: string;
          min?: number;
          modules?: ('GIT' | 'GITHUB_CLI' | 'COPIER' | 'CURL' | 'BUILD' | 'DOCKER')[];
          name: string;
          packages?: string[];
          requirements?: string | string[];
          secrets?: string[];
          tasks?: {
            max_retries?: number;
            queue_size?: number;
            timeout_seconds?: number;
          };
          template?: {
            /** @enum {string} */
            agent_type: 'CLAUDE' | 'FACTORY' | 'CODEX' | 'CUSTOM';
            agent_version?: string;
            allowed_commands?: string[];
            checkpoint?: {
              interval_seconds?: number;
              keep?: number;
              on: ('turn' | 'stop' | 'interval')[];
            };
            command_line?: string[];
            commands?: boolean;
            concurrency?: number;
            env?: {
              [key: string]: string;
            };
            from_checkpoint?: string;
            handlers?: string[];
            idle_timeout_seconds?: number;
            image?: string;
            instructions?: string;
            /** @default 86400 */
            keep_finished_seconds?: number;
            labels?: {
              [key: string]: string;
            };
            max_job_time_seconds?: number;
            max_restarts?: number;
            modules?: ('GIT' | 'GITHUB_CLI' | 'COPIER' | 'CURL' | 'BUILD' | 'DOCKER')[];
            packages?: string[];
            ports?: 'any' | number[];
            /** @enum {string} */
            protocol?: 'lines' | 'json' | 'acp';
            requirements?: string | string[];
            resources?: {
              cpus?: number;
              memory?: string;
              pids?: number;
            };
            /**
             * @default always
             * @enum {string}
             */
            restart_policy?: 'never' | 'on-failure' | 'always';
            secrets?: string[];
            silence_timeout_seconds?: number;
            /** @default 120 */
            start_deadline_seconds?: number;
            /** @default 10 */
            stop_grace_seconds?: number;
            ttl_seconds?: number;
            webhooks?: {
              secret: string;
              types?: (
                | 'worker.ready'
                | 'worker.restarting'
                | 'worker.stopped'
                | 'worker.failed'
                | 'worker.deleted'
              )[];
              url: string;
            }[];
            worker_type?: string;
            workspace?: {
              /** @enum {string} */
              persist?: 'worker' | 'body';
              size?: string;
              source?: {
                git: {
                  depth?: number;
                  ref?: string;
                  url: string;
                };
              };
            };
          };
          update?: {
            /** @default 1 */
            max_surge?: number;
            /** @default 0 */
            max_unavailable?: number;
            /** @default 1 */
            min_ready_seconds?: number;
            /** @default 600 */
            progress_deadline_seconds?: number;
          };
          warm?: number;
          webhooks?: {
            secret: string;
            types?: (
              | 'worker.ready'
              | 'worker.restarting'
              | 'worker.stopped'
              | 'worker.failed'
              | 'worker.deleted'
            )[];
            url: string;
          }[];
          worker_type?: string;
        };
      };
    };
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            /** @enum {string} */
            change: 'created' | 'configured' | 'unchanged';
            pool: string;
          };
        };
      };
      /** @description Default Response */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            /** @enum {string} */
            change: 'created' | 'configured' | 'unchanged';
            pool: string;
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The body is too long. */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getPool: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @example text */
        name: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Pool'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  putPool: {
    parameters: {
      query?: never;
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path: {
        /** @example text */
        name: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "count": 0,
         *       "execution_mode": "direct",
         *       "commands": true
         *     }
         */
        'application/json': {
          autoscale?: {
            /** @default 15 */
            down_cooldown_seconds?: number;
            /** @default 60 */
            stabilization_seconds?: number;
            target?: number;
            /** @default 0 */
            up_cooldown_seconds?: number;
          };
          /** @default false */
          commands?: boolean;
          /** @default 1 */
          concurrency?: number;
          count?: number;
          cpus?: number;
          drain_seconds?: number;
          env?: {
            [key: string]: string;
          };
          /** @default auto */
          execution_mode?:
            | ('docker' | 'direct' | 'auto')
            | {
                direct: number;
                docker: number;
              };
          handlers?: string[];
          image?: string;
          labels?: {
            [key: string]: string;
          };
          max?: number;
          max_job_time?: 'none' | (number | string);
          memory_limit?: string;
          min?: number;
          modules?: ('GIT' | 'GITHUB_CLI' | 'COPIER' | 'CURL' | 'BUILD' | 'DOCKER')[];
          name?: string;
          packages?: string[];
          requirements?: string | string[];
          secrets?: string[];
          tasks?: {
            max_retries?: number;
            queue_size?: number;
            timeout_seconds?: number;
          };
          template?: {
            /** @enum {string} */
            agent_type: 'CLAUDE' | 'FACTORY' | 'CODEX' | 'CUSTOM';
            agent_version?: string;
            allowed_commands?: string[];
            checkpoint?: {
              interval_seconds?: number;
              keep?: number;
              on: ('turn' | 'stop' | 'interval')[];
            };
            command_line?: string[];
            commands?: boolean;
            concurrency?: number;
            env?: {
              [key: string]: string;
            };
            from_checkpoint?: string;
            handlers?: string[];
            idle_timeout_seconds?: number;
            image?: string;
            instructions?: string;
            /** @default 86400 */
            keep_finished_seconds?: number;
            labels?: {
              [key: string]: string;
            };
            max_job_time_seconds?: number;
            max_restarts?: number;
            modules?: ('GIT' | 'GITHUB_CLI' | 'COPIER' | 'CURL' | 'BUILD' | 'DOCKER')[];
            packages?: string[];
            ports?: 'any' | number[];
            /** @enum {string} */
            protocol?: 'lines' | 'json' | 'acp';
            requirements?: string | string[];
            resources?: {
              cpus?: number;
              memory?: string;
              pids?: number;
            };
            /**
             * @default always
             * @enum {string}
             */
            restart_policy?: 'never' | 'on-failure' | 'always';
            secrets?: string[];
            silence_timeout_seconds?: number;
            /** @default 120 */
            start_deadline_seconds?: number;
            /** @default 10 */
            stop_grace_seconds?: number;
            ttl_seconds?: number;
            webhooks?: {
              secret: string;
              types?: (
                | 'worker.ready'
                | 'worker.restarting'
                | 'worker.stopped'
                | 'worker.failed'
                | 'worker.deleted'
              )[];
              url: string;
            }[];
            worker_type?: string;
            workspace?: {
              /** @enum {string} */
              persist?: 'worker' | 'body';
              size?: string;
              source?: {
                git: {
                  depth?: number;
                  ref?: string;
                  url: string;
                };
              };
            };
          };
          update?: {
            /** @default 1 */
            max_surge?: number;
            /** @default 0 */
            max_unavailable?: number;
            /** @default 1 */
            min_ready_seconds?: number;
            /** @default 600 */
            progress_deadline_seconds?: number;
          };
          warm?: number;
          webhooks?: {
            secret: string;
            types?: (
              | 'worker.ready'
              | 'worker.restarting'
              | 'worker.stopped'
              | 'worker.failed'
              | 'worker.deleted'
            )[];
            url: string;
          }[];
          worker_type?: string;
        };
      };
    };
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            /** @enum {string} */
            change: 'created' | 'configured' | 'unchanged';
            pool: string;
          };
        };
      };
      /** @description Default Response */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            /** @enum {string} */
            change: 'created' | 'configured' | 'unchanged';
            pool: string;
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The body is too long. */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  deletePool: {
    parameters: {
      query?: never;
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path: {
        /** @example text */
        name: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            pool: string;
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, the name is taken, or the key is that of another request. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  scalePool: {
    parameters: {
      query?: never;
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path: {
        /** @example text */
        name: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "count": 1
         *     }
         */
        'application/json': {
          count: number;
        };
      };
    };
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            before: number;
            count: number;
            pool: string;
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The body is too long. */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getStats: {
    parameters: {
      query?: never;
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Stats'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  listTasks: {
    parameters: {
      query?: {
        /** @description `next_cursor` of the page before, with the same filters */
        cursor?: string;
        /**
         * @description length of a page
         * @example 20
         */
        limit?: number;
        /**
         * @description only the tasks of this pool
         * @example text
         */
        pool?: string;
        /** @example queued */
        status?: 'queued' | 'running' | 'completed' | 'failed';
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            /** @description may be fewer than `limit`, because tasks move */
            items: components['schemas']['Task'][];
            /** @description null on the last page */
            next_cursor: string | null;
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  createTask: {
    parameters: {
      query?: never;
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "task_id": "count-1",
         *       "pool": "text",
         *       "payload": {
         *         "command": [
         *           "wc",
         *           "-w",
         *           "README.md"
         *         ]
         *       },
         *       "priority": "high"
         *     }
         */
        'application/json': components['schemas']['TaskSubmission'];
        'application/x-ndjson': string;
      };
    };
    responses: {
      /** @description The result of each line. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/x-ndjson': string;
        };
      };
      /** @description The accepted task. */
      202: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['TaskReceipt'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The body is too long. */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getTask: {
    parameters: {
      query?: {
        /** @description needed if two pools have a task with that ID */
        pool?: string;
      };
      header?: never;
      path: {
        /** @example count-1 */
        task_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Task'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  cancelTask: {
    parameters: {
      query?: {
        /** @description needed if two pools have a task with that ID */
        pool?: string;
        /**
         * @description for the error of the task
         * @example no longer needed
         */
        reason?: string;
      };
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path: {
        /** @example count-1 */
        task_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Task'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  retryTask: {
    parameters: {
      query?: {
        /** @description needed if two pools have a task with that ID */
        pool?: string;
      };
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path: {
        /** @example count-1 */
        task_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Task'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  listUsage: {
    parameters: {
      query?: {
        /** @description only these workers; may be repeated */
        worker_id?: string[];
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            items: components['schemas']['Usage'][];
            next_cursor: null;
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  listWebhooks: {
    parameters: {
      query?: {
        /** @example 20 */
        limit?: number;
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            items: components['schemas']['WebhookDelivery'][];
            next_cursor: null;
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  listWorkers: {
    parameters: {
      query?: {
        agent_type?: ('CLAUDE' | 'FACTORY' | 'CODEX' | 'CUSTOM' | 'TASK')[];
        /** @description next_cursor of the previous page */
        cursor?: string;
        /**
         * @description `name` or `name=value`
         * @example [
         *       "team=blue"
         *     ]
         */
        label?: string[];
        /** @example 20 */
        limit?: number;
        name?: string[];
        phase?: string[];
        pool?: string[];
        runtime?: ('docker' | 'process')[];
        status?: ('STARTING' | 'RUNNING' | 'STOPPED' | 'FAILED')[];
      };
      header?: never;
      path?: never;
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            items: components['schemas']['Worker'][];
            /** @description for the next page; a page with filters may be short, or empty, although there are more */
            next_cursor: string | null;
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  createWorker: {
    parameters: {
      query?: {
        /**
         * @description time limit of `wait`
         * @example 30
         */
        timeout_seconds?: number;
        /**
         * @description respond when the worker is in this state; `ended` is STOPPED or FAILED
         * @example ready
         */
        wait?: 'running' | 'ready' | 'ended' | 'stopped' | 'failed' | 'deleted';
      };
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path?: never;
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "worker_id": "6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10",
         *       "name": "echo",
         *       "agent_type": "CUSTOM",
         *       "instructions": "",
         *       "allowed_commands": [],
         *       "modules": [],
         *       "command_line": [
         *         "cat"
         *       ],
         *       "labels": {
         *         "team": "blue"
         *       }
         *     }
         */
        'application/json': {
          /** @enum {string} */
          agent_type: 'CLAUDE' | 'FACTORY' | 'CODEX' | 'CUSTOM' | 'TASK';
          agent_version?: string;
          allowed_commands?: string[];
          checkpoint?: {
            interval_seconds?: number;
            keep?: number;
            on: ('turn' | 'stop' | 'interval')[];
          };
          command_line?: string[];
          commands?: boolean;
          concurrency?: number;
          env?: {
            [key: string]: string;
          };
          exit_after_prompt?: boolean;
          from_checkpoint?: string;
          handlers?: string[];
          idle_timeout_seconds?: number;
          image?: string;
          instructions?: string;
          /** @default 86400 */
          keep_finished_seconds?: number;
          labels?: {
            [key: string]: string;
          };
          max_job_time_seconds?: number;
          max_restarts?: number;
          modules?: ('GIT' | 'GITHUB_CLI' | 'COPIER' | 'CURL' | 'BUILD' | 'DOCKER')[];
          name?: string;
          packages?: string[];
          ports?: 'any' | number[];
          prompt?: string;
          /** @enum {string} */
          protocol?: 'lines' | 'json' | 'acp';
          requirements?: string | string[];
          resources?: {
            cpus?: number;
            memory?: string;
            pids?: number;
          };
          /**
           * @default never
           * @enum {string}
           */
          restart_policy?: 'never' | 'on-failure' | 'always';
          /**
           * @default auto
           * @enum {string}
           */
          runtime?: 'docker' | 'process' | 'swarm' | 'auto';
          secrets?: string[];
          silence_timeout_seconds?: number;
          /** @default 120 */
          start_deadline_seconds?: number;
          /** @default 10 */
          stop_grace_seconds?: number;
          ttl_seconds?: number;
          webhooks?: {
            secret: string;
            types?: (
              | 'worker.ready'
              | 'worker.restarting'
              | 'worker.stopped'
              | 'worker.failed'
              | 'worker.deleted'
            )[];
            url: string;
          }[];
          worker_id?: string;
          worker_type?: string;
          workspace?: {
            /** @enum {string} */
            persist?: 'worker' | 'body';
            size?: string;
            source?: {
              git: {
                depth?: number;
                ref?: string;
                url: string;
              };
            };
          };
        };
      };
    };
    responses: {
      /** @description Default Response */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            /** @enum {string} */
            agent_type: 'CLAUDE' | 'FACTORY' | 'CODEX' | 'CUSTOM' | 'TASK';
            /** @description RFC 3339 in UTC */
            created_at: string;
            /** @enum {string} */
            desired: 'running' | 'stopped' | 'deleted';
            /** @description of the last body that ended */
            exit_code: number | null;
            finished_at: string | null;
            /** @description increases with every accepted change; the ETag */
            generation: number;
            image: string | null;
            /** @description attempt number of the worker's body */
            incarnation: number;
            ip_address: string | null;
            labels: {
              [key: string]: string;
            };
            /** @description one sentence for people */
            message: string;
            name: string | null;
            next_retry_at: string | null;
            /** @description URL of a task worker's node API */
            node_url: string | null;
            /** @description the generation that the status is based on */
            observed_generation: number;
            /** @description the detailed state, such as `queued`, `booting`, `ready` or `backoff` */
            phase: string;
            /** @description the pool that created it */
            pool: string | null;
            /** @description one word for programs; empty if there is nothing to report */
            reason: string;
            restarts: number;
            running_at: string | null;
            runtime: ('docker' | 'process') | null;
            /** @description why `auto` chose the runtime */
            runtime_reason?: string;
            started_at: string | null;
            /** @enum {string} */
            status: 'STARTING' | 'RUNNING' | 'STOPPED' | 'FAILED';
            /** @description fields that may not do what was intended */
            warnings?: string[];
            worker_id: string;
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The body is too long. */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state was not reached in time. */
      504: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getWorker: {
    parameters: {
      query?: {
        /** @description time limit of `wait` */
        timeout_seconds?: number;
        /** @description respond when the worker is in this state; `ended` is STOPPED or FAILED */
        wait?: 'running' | 'ready' | 'ended' | 'stopped' | 'failed' | 'deleted';
      };
      header?: never;
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Worker'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state was not reached in time. */
      504: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  deleteWorker: {
    parameters: {
      query?: {
        /** @description is written to its history */
        reason?: string;
        /**
         * @description time limit of `wait`
         * @example 30
         */
        timeout_seconds?: number;
        /**
         * @description respond when it has ended and is gone
         * @example deleted
         */
        wait?: 'deleted' | 'ended';
      };
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            worker_id: string;
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, the name is taken, or the key is that of another request. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description It has changed since: the condition of If-Match or If-None-Match is not met. */
      412: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state was not reached in time. */
      504: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  readArchive: {
    parameters: {
      query?: {
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: never;
      path: {
        /**
         * @description path from the workspace, percent-encoded; empty for the workspace itself. Names are bytes and need not be UTF-8.
         * @example notes
         */
        path: string;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The archive. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/x-tar': string;
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  writeArchive: {
    parameters: {
      query?: {
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: never;
      path: {
        /**
         * @description path from the workspace, percent-encoded; empty for the workspace itself. Names are bytes and need not be UTF-8.
         * @example notes
         */
        path: string;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/x-tar': string;
      };
    };
    responses: {
      /** @description What was unpacked. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            /** @description sum of the sizes of the files */
            bytes: number;
            directories: number;
            /** @description number of files, links included */
            files: number;
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The body is too long. */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getChanges: {
    parameters: {
      query?: {
        /**
         * @description a patch for `git apply`, statistics, names, or the repository as a bundle of git
         * @example names
         */
        format?: 'patch' | 'stat' | 'names' | 'bundle';
        /**
         * @description the commit that the workspace was filled with by `workspace.source` or `from_checkpoint`, or HEAD; without the former, HEAD as well
         * @example head
         */
        since?: 'start' | 'head';
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: never;
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The changes. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/x-git-bundle': string;
          'text/plain': string;
          'text/x-diff': string;
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  listWorkerCheckpoints: {
    parameters: {
      query?: {
        /** @description next_cursor of the previous page */
        cursor?: string;
        /** @example 20 */
        limit?: number;
      };
      header?: never;
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            items: components['schemas']['Checkpoint'][];
            next_cursor: string | null;
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  createCheckpoint: {
    parameters: {
      query?: {
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Checkpoint'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getWorkerDockerfile: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Dockerfile'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  streamWorkerEvents: {
    parameters: {
      query?: {
        /**
         * @description `false`: end at the present end instead of waiting for more
         * @example false
         */
        follow?: 'true' | 'false';
        /** @description begin after this entry ID, at this time (RFC 3339), or this long ago (`10m`) */
        since?: string;
        /**
         * @description begin with the last entries
         * @example 10
         */
        tail?: number;
      };
      header?: {
        /** @description continue after this event; before `since` and `tail` */
        'last-event-id'?: string;
      };
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Server-sent events, each with the fields of the schema. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'text/event-stream': components['schemas']['StreamEvent'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  execInWorker: {
    parameters: {
      query?: {
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: never;
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "shell": "echo hello; exit 3",
         *       "timeout_seconds": 10
         *     }
         */
        'application/json': components['schemas']['ExecRequest'];
      };
    };
    responses: {
      /** @description The command has ended, or its stream begins. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['ExecResult'];
          'application/vnd.worker-manager.exec': string;
          'text/event-stream': components['schemas']['ExecEvent'];
        };
      };
      /** @description It was started and runs on. */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Process'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The body is too long. */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  explainWorker: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Explanation'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  readFile: {
    parameters: {
      query?: {
        /** @description with `list`: next_cursor of the previous page */
        cursor?: string;
        /** @description with `stat`: whether a symbolic link is followed; `true` by default */
        follow?: 'true' | 'false';
        /** @description with `list`: files on a page, by default 1000 */
        limit?: number;
        /** @description list the folder */
        list?: '' | 'true';
        /** @description describe the file, and do not send its content */
        stat?: '' | 'true';
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: never;
      path: {
        /**
         * @description path from the workspace, percent-encoded; empty for the workspace itself. Names are bytes and need not be UTF-8.
         * @example notes/today.txt
         */
        path: string;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The file, a page of the folder, or what is known of the file. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json':
            | {
                items: components['schemas']['FileInfo'][];
                /** @description for the next page */
                next_cursor: string | null;
              }
            | components['schemas']['FileInfo'];
          'application/octet-stream': string;
        };
      };
      /** @description The selected part. */
      206: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/octet-stream': string;
        };
      };
      /** @description The file still has the ETag of If-None-Match. */
      304: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description It has changed since: the condition of If-Match or If-None-Match is not met. */
      412: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The file has no such part. */
      416: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  writeFile: {
    parameters: {
      query?: {
        /**
         * @description permissions, such as `644`
         * @example 644
         */
        mode?: string;
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: {
        /** @description entity tags, in quotes: only one of these versions is changed; `*` is any */
        'if-match'?: string;
        /** @description `*`: only a file that does not exist is written */
        'if-none-match'?: string;
      };
      path: {
        /**
         * @description path from the workspace, percent-encoded; empty for the workspace itself. Names are bytes and need not be UTF-8.
         * @example notes/today.txt
         */
        path: string;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        'application/octet-stream': string;
      };
    };
    responses: {
      /** @description The file was replaced. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['FileInfo'];
        };
      };
      /** @description The file was created. */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['FileInfo'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description It has changed since: the condition of If-Match or If-None-Match is not met. */
      412: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The body is too long. */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  postFile: {
    parameters: {
      query?: {
        /**
         * @description create a folder; one that exists is a success
         * @example
         */
        mkdir?: '' | 'true';
        /** @description permissions, such as `644` */
        mode?: string;
        /** @description the new path from the workspace, percent-encoded */
        move_to?: string;
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: {
        /** @description entity tags, in quotes: only one of these versions is changed; `*` is any */
        'if-match'?: string;
      };
      path: {
        /**
         * @description path from the workspace, percent-encoded; empty for the workspace itself. Names are bytes and need not be UTF-8.
         * @example notes
         */
        path: string;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description It existed already, or a file was replaced. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['FileInfo'];
        };
      };
      /** @description It was created or moved. */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['FileInfo'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description It has changed since: the condition of If-Match or If-None-Match is not met. */
      412: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  deleteFile: {
    parameters: {
      query?: {
        /** @description whether a folder may have content */
        recursive?: 'true' | 'false';
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: {
        /** @description entity tags, in quotes: only one of these versions is changed; `*` is any */
        'if-match'?: string;
      };
      path: {
        /**
         * @description path from the workspace, percent-encoded; empty for the workspace itself. Names are bytes and need not be UTF-8.
         * @example notes/today.txt
         */
        path: string;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description It was removed. */
      204: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description It has changed since: the condition of If-Match or If-None-Match is not met. */
      412: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  headFile: {
    parameters: {
      query?: {
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: never;
      path: {
        /**
         * @description path from the workspace, percent-encoded; empty for the workspace itself. Names are bytes and need not be UTF-8.
         * @example notes/today.txt
         */
        path: string;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description It exists. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description It has changed since: the condition of If-Match or If-None-Match is not met. */
      412: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  interruptWorker: {
    parameters: {
      query?: never;
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      202: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            /** @description the `request_id` of the entries of its turn */
            request_id: string;
            worker_id: string;
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  streamOutput: {
    parameters: {
      query?: {
        /**
         * @description `false`: end at the present end instead of waiting for more
         * @example false
         */
        follow?: 'true' | 'false';
        /** @description begin after this entry ID, at this time (RFC 3339), or this long ago (`10m`) */
        since?: string;
        /**
         * @description begin with the last entries
         * @example 10
         */
        tail?: number;
      };
      header?: {
        /** @description continue after this event; before `since` and `tail` */
        'last-event-id'?: string;
      };
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Server-sent events, each with the fields of the schema. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'text/event-stream': components['schemas']['StreamEvent'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  createPortLink: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @example 3000 */
        port: number;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['PortLink'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  connectToPort: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /** @example 3000 */
        port: number;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The protocol is WebSocket from now on. */
      101: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The path needs another protocol: send Upgrade. */
      426: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  requestPort: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /**
         * @description path for the program
         * @example index.html
         */
        path: string;
        /**
         * @description a port on which a program in the worker listens
         * @example 3000
         */
        port: number;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description What the program answers, of any status. */
      default: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          '*/*': string;
        };
      };
    };
  };
  listProcesses: {
    parameters: {
      query?: {
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: never;
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            items: components['schemas']['Process'][];
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getProcess: {
    parameters: {
      query?: {
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: never;
      path: {
        /** @example 0d8f6a52-94a1-4f0e-8a35-c1b7a9d0e6f4 */
        process_id: string;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Process'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  deleteProcess: {
    parameters: {
      query?: {
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: never;
      path: {
        /** @example 0d8f6a52-94a1-4f0e-8a35-c1b7a9d0e6f4 */
        process_id: string;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Process'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  streamProcessOutput: {
    parameters: {
      query?: {
        /**
         * @description whether to wait for more
         * @example false
         */
        follow?: 'true' | 'false';
        /**
         * @description bytes of both streams to skip
         * @example 0
         */
        offset?: number;
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: {
        /** @description takes the place of `offset` */
        'last-event-id'?: string;
      };
      path: {
        /** @example 0d8f6a52-94a1-4f0e-8a35-c1b7a9d0e6f4 */
        process_id: string;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The output. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/vnd.worker-manager.exec': string;
          'text/event-stream': components['schemas']['ExecEvent'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  signalProcess: {
    parameters: {
      query?: {
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: never;
      path: {
        /** @example 0d8f6a52-94a1-4f0e-8a35-c1b7a9d0e6f4 */
        process_id: string;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "signal": "SIGINT"
         *     }
         */
        'application/json': {
          /** @enum {string} */
          signal:
            | 'SIGHUP'
            | 'SIGINT'
            | 'SIGQUIT'
            | 'SIGKILL'
            | 'SIGUSR1'
            | 'SIGUSR2'
            | 'SIGTERM'
            | 'SIGCONT'
            | 'SIGSTOP'
            | 'SIGWINCH';
        };
      };
    };
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Process'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The body is too long. */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  writeToProcess: {
    parameters: {
      query?: {
        /**
         * @description whether the input ends after it
         * @example true
         */
        close?: 'true' | 'false';
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: never;
      path: {
        /** @example 0d8f6a52-94a1-4f0e-8a35-c1b7a9d0e6f4 */
        process_id: string;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            /** @description number of bytes that were written */
            bytes: number;
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  promptWorker: {
    parameters: {
      query?: {
        /** @description time limit of `wait` */
        timeout_seconds?: number;
        /** @description respond when the turn has ended */
        wait?: 'turn';
      };
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "content": "hello"
         *     }
         */
        'application/json': {
          /** @description the prompt */
          content: string;
          /** @description time limit of the turn */
          deadline_seconds?: number;
          /** @description whether the turn is begun again if the body ends during it; otherwise it fails as `body_lost` */
          retry?: boolean;
        };
      };
    };
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['OutputEntry'];
        };
      };
      /** @description Default Response */
      202: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            /** @description the `request_id` of the entries of its turn */
            request_id: string;
            worker_id: string;
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The body is too long. */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state was not reached in time. */
      504: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  viewTerminal: {
    parameters: {
      query?: {
        /**
         * @description the client's columns; the terminal is as large as its smallest viewer
         * @example 120
         */
        cols?: number;
        /** @description for a new one: a line for `/bin/sh`, or repeated: a program and its arguments; by default a shell */
        command?: string | string[];
        /** @description directory, by default the workspace, to which it is relative */
        cwd?: string;
        /** @description an open terminal to view; without it a new one is opened */
        id?: string;
        /** @description the terminal is closed when it had no viewers for this time */
        linger_seconds?: number;
        /** @example 40 */
        rows?: number;
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: never;
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The protocol is WebSocket from now on. */
      101: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The path needs another protocol: send Upgrade. */
      426: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  listTerminals: {
    parameters: {
      query?: {
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: never;
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            items: components['schemas']['Terminal'][];
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  openTerminal: {
    parameters: {
      query?: {
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: never;
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody: {
      content: {
        /**
         * @example {
         *       "command": [
         *         "sleep",
         *         "60"
         *       ],
         *       "cols": 120,
         *       "rows": 40
         *     }
         */
        'application/json': components['schemas']['TerminalRequest'];
      };
    };
    responses: {
      /** @description Default Response */
      201: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Terminal'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The body is too long. */
      413: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getTerminal: {
    parameters: {
      query?: {
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: never;
      path: {
        /** @example 0d8f6a52-94a1-4f0e-8a35-c1b7a9d0e6f4 */
        pty_id: string;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Terminal'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  closeTerminal: {
    parameters: {
      query?: {
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: never;
      path: {
        /** @example 0d8f6a52-94a1-4f0e-8a35-c1b7a9d0e6f4 */
        pty_id: string;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Terminal'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  restartWorker: {
    parameters: {
      query?: {
        /**
         * @description is written to its history
         * @example a new configuration
         */
        reason?: string;
        /** @description time limit of `wait` */
        timeout_seconds?: number;
        /** @description respond when the worker is in this state; `ended` is STOPPED or FAILED */
        wait?: 'running' | 'ready' | 'ended' | 'stopped' | 'failed' | 'deleted';
      };
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Worker'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description It has changed since: the condition of If-Match or If-None-Match is not met. */
      412: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state was not reached in time. */
      504: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  getWorkerSpec: {
    parameters: {
      query?: never;
      header?: never;
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': {
            /** @enum {string} */
            agent_type: 'CLAUDE' | 'FACTORY' | 'CODEX' | 'CUSTOM' | 'TASK';
            agent_version?: string;
            allowed_commands?: string[];
            checkpoint?: {
              interval_seconds?: number;
              keep?: number;
              on: ('turn' | 'stop' | 'interval')[];
            };
            command_line?: string[];
            commands?: boolean;
            concurrency?: number;
            env?: {
              [key: string]: string;
            };
            exit_after_prompt?: boolean;
            from_checkpoint?: string;
            handlers?: string[];
            idle_timeout_seconds?: number;
            image?: string;
            instructions?: string;
            /** @default 86400 */
            keep_finished_seconds: number;
            labels?: {
              [key: string]: string;
            };
            max_job_time_seconds?: number;
            max_restarts?: number;
            modules?: ('GIT' | 'GITHUB_CLI' | 'COPIER' | 'CURL' | 'BUILD' | 'DOCKER')[];
            name?: string;
            packages?: string[];
            pool?: string;
            pool_revision?: string;
            ports?: 'any' | number[];
            prompt?: string;
            /** @enum {string} */
            protocol?: 'lines' | 'json' | 'acp';
            requirements?: string[];
            resources?: {
              cpus?: number;
              memory?: string;
              pids?: number;
            };
            /**
             * @default never
             * @enum {string}
             */
            restart_policy: 'never' | 'on-failure' | 'always';
            /** @enum {string} */
            runtime: 'docker' | 'process';
            secrets?: string[];
            silence_timeout_seconds?: number;
            /** @default 120 */
            start_deadline_seconds: number;
            /** @default 10 */
            stop_grace_seconds: number;
            ttl_seconds?: number;
            /** @enum {boolean} */
            warm?: true;
            webhooks?: {
              secret: string;
              types?: (
                | 'worker.ready'
                | 'worker.restarting'
                | 'worker.stopped'
                | 'worker.failed'
                | 'worker.deleted'
              )[];
              url: string;
            }[];
            worker_type?: string;
            workspace?: {
              /** @enum {string} */
              persist?: 'worker' | 'body';
              size?: string;
              source?: {
                git: {
                  depth?: number;
                  ref?: string;
                  url: string;
                };
              };
            };
          };
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  startWorker: {
    parameters: {
      query?: {
        /** @description is written to its history */
        reason?: string;
        /**
         * @description time limit of `wait`
         * @example 30
         */
        timeout_seconds?: number;
        /**
         * @description respond when the worker is in this state; `ended` is STOPPED or FAILED
         * @example running
         */
        wait?: 'running' | 'ready' | 'ended' | 'stopped' | 'failed' | 'deleted';
      };
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Worker'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description It has changed since: the condition of If-Match or If-None-Match is not met. */
      412: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state was not reached in time. */
      504: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  stopWorker: {
    parameters: {
      query?: {
        /** @description is written to its history */
        reason?: string;
        /**
         * @description time limit of `wait`
         * @example 30
         */
        timeout_seconds?: number;
        /**
         * @description respond when the worker is in this state; `ended` is STOPPED or FAILED
         * @example stopped
         */
        wait?: 'running' | 'ready' | 'ended' | 'stopped' | 'failed' | 'deleted';
      };
      header?: {
        /** @description The same key again is the same request: it has one effect, and the same answer. A key of another request is a conflict. */
        'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      path: {
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description Default Response */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Worker'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The request comes from a page of another site. */
      403: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description It has changed since: the condition of If-Match or If-None-Match is not met. */
      412: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state was not reached in time. */
      504: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
  watchFiles: {
    parameters: {
      query?: {
        /** @description whether folders in it are watched too */
        recursive?: 'true' | 'false';
        /** @description how long to wait for a worker that is starting */
        wait_seconds?: number;
      };
      header?: never;
      path: {
        /**
         * @description path from the workspace, percent-encoded; empty for the workspace itself. Names are bytes and need not be UTF-8.
         * @example missing
         */
        path: string;
        /**
         * @description ID of the worker, or its name
         * @example 6f1e7c1a-0b5d-4c3e-9a52-2d7c8e4f9b10
         */
        worker_id: string;
      };
      cookie?: never;
    };
    requestBody?: never;
    responses: {
      /** @description The changes. */
      200: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'text/event-stream': components['schemas']['FileEvent'];
        };
      };
      /** @description The request is wrong; `issues` names the fields. */
      400: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The token is missing or wrong. */
      401: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The resource does not exist. */
      404: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The state does not allow it, or the name is taken. */
      409: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The host name is not allowed. */
      421: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description This manager, runtime or machine cannot do it. */
      422: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The manager has no capacity now; retry after Retry-After seconds. */
      429: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description The query and the headers are too long. */
      431: {
        headers: {
          [name: string]: unknown;
        };
        content?: never;
      };
      /** @description A bug in the manager; its log has the cause. */
      500: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
      /** @description Redis or the leader does not answer; retry after Retry-After seconds. */
      503: {
        headers: {
          [name: string]: unknown;
        };
        content: {
          'application/json': components['schemas']['Error'];
        };
      };
    };
  };
}
