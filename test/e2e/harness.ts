import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

/** The root key that the tests set, so that clients need not read the credentials file. */
const rootKey = {
  accessKeyId: 'AKIATESTROOTKEY00001',
  secretAccessKey: 'test-root-secret-access-key-000000000001',
};

/** What Node is started with, as `npm start` does: see "Threads and memory" in ARCHITECTURE.md. */
export const nodeFlags = ['--no-memory-protection-keys'] as const;

export interface TestServer {
  readonly endpoint: string;
  readonly data: string;
  readonly accountId: string;
  readonly credentials: typeof rootKey;
  /** Environment for the aws CLI, boto3 and `cairn`. */
  readonly env: NodeJS.ProcessEnv;
  /** What an SDK client takes. */
  readonly clientOptions: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: typeof rootKey;
    readonly maxAttempts: number;
  };
  readonly process: ChildProcess;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL; resolves once the process is gone. The data directory stays. */
  kill(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

function childEnvironment(extra: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(AWS_|CAIRN_|NODE_OPTIONS|VITEST|NO_COLOR)/.test(name),
  );
  return { ...Object.fromEntries(inherited), ...extra };
}

async function waitUntilReady(
  endpointFile: string,
  child: ChildProcess,
  errors: () => string,
): Promise<string> {
  for (let attempt = 0; attempt < 3000; attempt++) {
    if (child.exitCode !== null) throw new Error(`cairn ended with ${child.exitCode}: ${errors()}`);
    if (existsSync(endpointFile)) {
      const endpoint = readFileSync(endpointFile, 'utf8').trim();
      const answer = await fetch(`${endpoint}/_cairn/health`).catch(() => undefined);
      if (answer?.ok) return endpoint;
    }
    await pause(10);
  }
  throw new Error(`cairn did not become ready: ${errors()}`);
}

/** Starts a real server as a process of its own, on a free port of loopback, and waits until it is ready. */
export async function startServer(
  options: { readonly data?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<TestServer> {
  const data = options.data ?? mkdtempSync(join(tmpdir(), 'cairn-e2e-'));
  const accountId = options.env?.['CAIRN_ACCOUNT_ID'] ?? '000000000000';
  const endpointFile = join(data, 'endpoint');
  rmSync(endpointFile, { force: true });
  const child = spawn(
    process.execPath,
    [...nodeFlags, 'src/cli/main.js', 'start', '--listen', '127.0.0.1:0', '--data', data],
    {
      env: childEnvironment({
        CAIRN_ROOT_ACCESS_KEY_ID: rootKey.accessKeyId,
        CAIRN_ROOT_SECRET_ACCESS_KEY: rootKey.secretAccessKey,
        CAIRN_LOG_LEVEL: 'warn',
        ...options.env,
      }),
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-20_000);
  });
  const ended = once(child, 'exit');
  const endpoint = await waitUntilReady(endpointFile, child, () => errors);
  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await ended;
    return child.exitCode;
  };
  return {
    endpoint,
    data,
    accountId,
    credentials: rootKey,
    process: child,
    clientOptions: { endpoint, region: 'us-east-1', credentials: rootKey, maxAttempts: 1 },
    env: childEnvironment({
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: rootKey.accessKeyId,
      AWS_SECRET_ACCESS_KEY: rootKey.secretAccessKey,
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_PAGER: '',
    }),
    stop: () => end('SIGTERM'),
    kill: async () => {
      await end('SIGKILL');
    },
    async [Symbol.asyncDispose]() {
      await end('SIGTERM');
      if (options.data === undefined) rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Asks again until `probe` answers, for what Cairn does right behind an answer. Bounded at forty seconds and more. */
export async function eventually<T>(probe: () => Promise<T | undefined>): Promise<T> {
  for (let attempt = 0; attempt < 4000; attempt++) {
    const found = await probe();
    if (found !== undefined) return found;
    await pause(10);
  }
  throw new Error('it did not happen within forty seconds');
}

/** Debian's aws CLI, where it is installed. */
export const awsCli = '/usr/bin/aws';
export const hasAwsCli = existsSync(awsCli);

/** Debian's python3 with boto3, where it is installed. */
export const python = '/usr/bin/python3';
export const hasBoto3 = existsSync(python) && spawnSync(python, ['-c', 'import boto3']).status === 0;
