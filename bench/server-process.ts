import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
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
  /** Resident memory now of the server and the engines that it started, bytes. */
  memoryBytes(): number;
  /** Processor time that the server has taken so far, milliseconds. */
  cpuMs(): number;
  /** Resolves when nothing is being done behind the answers any more: merging, delivering, sealing. */
  settled(): Promise<void>;
  /** Resolves when no engine that the server started runs any more; they wait half a minute for more work. */
  alone(): Promise<void>;
}

/** A process and all that it started; Linux alone. */
function treeOf(pid: number): readonly number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  );
  return [pid, ...children.flatMap((child) => treeOf(Number(child)))];
}

const residentBytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

const ticksPerSecond = 100;

/** Processor time so far of a process, or of those that it started and that have ended; milliseconds. */
export function cpuMs(pid: number, whose: 'own' | 'children' = 'own'): number {
  const first = whose === 'own' ? 11 : 13;
  const [user = 0, system = 0] = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
    .slice(first, first + 2)
    .map(Number);
  return ((user + system) / ticksPerSecond) * 1000;
}

/** Waits until the processes have used less than a tenth of a core for three seconds. */
async function atRest(pid: number): Promise<void> {
  const total = () => treeOf(pid).reduce((sum, one) => sum + cpuMs(one), 0);
  for (let quiet = 0; quiet < 3;) {
    const before = total();
    await pause(1000);
    quiet = total() - before < 100 ? quiet + 1 : 0;
  }
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
    // As `npm start` does.
    MALLOC_MMAP_THRESHOLD_: '131072',
    MALLOC_TRIM_THRESHOLD_: '131072',
    CAIRN_ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
    CAIRN_ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    CAIRN_LOG_LEVEL: 'warn',
    ...extra,
  };
  const start = performance.now();
  const child = spawn(
    process.execPath,
    ['--no-memory-protection-keys', 'src/cli/main.js', 'start', '--listen', '127.0.0.1:0', '--data', data],
    {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const { pid = 0 } = child;
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
    memoryBytes: () => treeOf(pid).reduce((sum, one) => sum + residentBytes(one), 0),
    cpuMs: () => cpuMs(pid),
    settled: () => atRest(pid),
    async alone() {
      while (treeOf(pid).length > 1) await pause(1000);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
