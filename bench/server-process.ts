import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const credentials = {
  accessKeyId: 'AKIABENCHROOTKEY0001',
  secretAccessKey: 'bench-root-secret-access-key-00000000001',
};

export interface ServerProcess extends AsyncDisposable {
  readonly endpoint: string;
  readonly credentials: typeof credentials;
  /** Environment for `cairn` and SDK clients in other processes. */
  readonly env: NodeJS.ProcessEnv;
  /** From the start of the process to the first healthy answer. */
  readonly readyMs: number;
  /** Resident memory now, bytes. */
  memoryBytes(): number;
}

/** Starts Cairn as a user does, on a free port of loopback. */
export async function startServerProcess(
  data: string,
  extra: NodeJS.ProcessEnv = {},
): Promise<ServerProcess> {
  const endpointFile = join(data, 'endpoint');
  rmSync(endpointFile, { force: true });
  const env = {
    ...process.env,
    CAIRN_ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
    CAIRN_ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    CAIRN_LOG_LEVEL: 'warn',
    ...extra,
  };
  const start = performance.now();
  const child = spawn(
    process.execPath,
    ['src/cli/main.ts', 'start', '--listen', '127.0.0.1:0', '--data', data],
    {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const ended = once(child, 'exit');
  let endpoint = '';
  for (;;) {
    if (child.exitCode !== null) throw new Error('the server ended');
    if (existsSync(endpointFile)) {
      endpoint = readFileSync(endpointFile, 'utf8').trim();
      if (
        await fetch(`${endpoint}/_cairn/health`).then(
          (answer) => answer.ok,
          () => false,
        )
      )
        break;
    }
    await pause(5);
  }
  return {
    endpoint,
    credentials,
    readyMs: performance.now() - start,
    env: {
      ...env,
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: 'us-east-1',
    },
    memoryBytes: () =>
      Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
