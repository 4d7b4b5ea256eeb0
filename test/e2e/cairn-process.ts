import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeFlags, startServer, type TestServer } from './harness.ts';

/** The entry of the command line. */
export const main = 'src/cli/main.js';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running command and what it has written so far. */
export interface Running {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves once `words` stand in what it wrote; rejects when it ends without them. */
  said(words: string): Promise<void>;
  /** Resolves when it has ended and everything that it wrote is there. */
  readonly ended: Promise<Outcome>;
}

/** Runs a command; `detached` gives it a process group of its own. */
export function run(
  env: NodeJS.ProcessEnv,
  command: string,
  args: readonly string[],
  detached = false,
): Running {
  const child = spawn(command, args, { env, detached, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, stdout, stderr }));
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    said: (words) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (stdout.includes(words) || stderr.includes(words)) resolve();
        };
        child.stdout.on('data', look);
        child.stderr.on('data', look);
        child.once('close', () => reject(new Error(`it ended without "${words}": ${stdout}${stderr}`)));
        look();
      }),
  };
}

/** Starts a command of Cairn. */
export function startCairn(env: NodeJS.ProcessEnv, ...args: string[]): Running {
  return run(env, process.execPath, [...nodeFlags, main, ...args]);
}

/** Runs a command of Cairn to its end. */
export function cairn(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Outcome> {
  return startCairn(env, ...args).ended;
}

/** Runs a script to its end. */
export function shell(env: NodeJS.ProcessEnv, script: string): Promise<Outcome> {
  return run(env, '/bin/sh', ['-c', script]).ended;
}

let eventNumber = 0;

/** A record of an account of its own for each test, so that the tests do not see one another's events. */
export function record(accountId: string, members: Readonly<Record<string, unknown>> = {}): string {
  eventNumber++;
  return JSON.stringify({
    eventVersion: '1.11',
    userIdentity: { type: 'IAMUser', arn: `arn:aws:iam::${accountId}:user/eve`, accountId, userName: 'eve' },
    eventTime: '2026-10-01T08:15:00Z',
    eventSource: 's3.amazonaws.com',
    eventName: 'DeleteBucket',
    awsRegion: 'eu-west-1',
    sourceIPAddress: '203.0.113.9',
    userAgent: 'test',
    requestParameters: { bucketName: 'logs' },
    responseElements: null,
    eventID: `00000000-0000-4000-8000-${String(eventNumber).padStart(12, '0')}`,
    readOnly: false,
    eventType: 'AwsApiCall',
    managementEvent: true,
    eventCategory: 'Management',
    recipientAccountId: accountId,
    ...members,
  });
}

/** Records as a CloudTrail log file. */
export const logFile = (...records: readonly string[]) => `{"Records":[${records.join(',')}]}`;

/** A server, and a folder for files, of one test file. */
export interface Bench extends AsyncDisposable {
  readonly server: TestServer;
  readonly folder: string;
  /** Writes a file below the folder and returns its path. */
  write(name: string, content: string | Uint8Array): Promise<string>;
  /** The environment of a shell that knows nothing of the server. */
  bareEnv(): NodeJS.ProcessEnv;
  /** A data directory and an address for a server that is stopped and started again. */
  openHome(): Promise<Home>;
}

export interface Home extends AsyncDisposable {
  readonly data: string;
  /** For commands that talk to the server of this home. */
  readonly env: NodeJS.ProcessEnv;
  /** Starts the server and waits until it listens. */
  start(): Promise<Running>;
}

/** A port of loopback that nobody has. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

async function openHome(server: TestServer, bareEnv: NodeJS.ProcessEnv): Promise<Home> {
  const data = await mkdtemp(join(tmpdir(), 'cairn-home-'));
  const listen = `127.0.0.1:${await freePort()}`;
  const serverEnv = {
    ...bareEnv,
    CAIRN_ROOT_ACCESS_KEY_ID: server.credentials.accessKeyId,
    CAIRN_ROOT_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    CAIRN_LOG_LEVEL: 'error',
  };
  const children: ChildProcess[] = [];
  return {
    data,
    env: { ...server.env, AWS_ENDPOINT_URL: `http://${listen}` },
    async start() {
      const running = run(serverEnv, process.execPath, [
        ...nodeFlags,
        main,
        'start',
        '--listen',
        listen,
        '--data',
        data,
      ]);
      children.push(running.child);
      await running.said('listens at');
      return running;
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      await rm(data, { recursive: true, force: true });
    },
  };
}

/** Starts a server and makes a folder; both go when it is disposed of. */
export async function openBench(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'cairn-command-'));
  const server = await startServer();
  const bareEnv = () => {
    const known = Object.entries(server.env).filter(([name]) => !name.startsWith('AWS_'));
    return {
      ...Object.fromEntries(known),
      AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
      AWS_CONFIG_FILE: '/nonexistent',
    };
  };
  return {
    server,
    folder,
    async write(name, content) {
      const file = join(folder, name);
      await mkdir(join(file, '..'), { recursive: true });
      await writeFile(file, content);
      return file;
    },
    bareEnv,
    openHome: () => openHome(server, bareEnv()),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}
