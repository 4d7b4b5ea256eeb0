import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { nodeFlags } from './harness.ts';

const credentials = {
  accessKeyId: 'AKIATESTROOTKEY00001',
  secretAccessKey: 'test-root-secret-access-key-000000000001',
};

/** A server in a process of its own whose clock stands still until it is turned (`turned-server.ts`). */
export interface TurnedServer {
  readonly endpoint: string;
  /** The server's time, epoch milliseconds. */
  readonly now: number;
  readonly child: ChildProcess;
  readonly credentials: typeof credentials;
  /** Moves the clock on, in steps in which what falls due is done; no steps set it forward at once. */
  pass(ms: number, steps?: number): Promise<void>;
  /** As `pass`, without waiting for it. */
  beginPass(ms: number, steps: number): void;
  /** What an SDK client takes, with the server's time. */
  clientOptions(): {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: typeof credentials;
    readonly systemClockOffset: number;
  };
  /** Environment for commands, which have a real clock. */
  readonly env: NodeJS.ProcessEnv;
  /** SIGKILL. */
  kill(): Promise<void>;
}

export async function startTurned(
  data: string,
  start: number,
  settings: NodeJS.ProcessEnv = {},
): Promise<TurnedServer> {
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(AWS_|CAIRN_|NODE_OPTIONS|VITEST|NO_COLOR)/.test(name)),
  );
  const program = fileURLToPath(import.meta.resolve('./turned-server.ts'));
  const child = spawn(process.execPath, [...nodeFlags, program, data, String(start)], {
    env: {
      ...inherited,
      CAIRN_ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
      CAIRN_ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      ...settings,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const endpoint = (await lines.next()).value as string;
  let now = start;
  return {
    endpoint,
    get now() {
      return now;
    },
    child,
    credentials,
    async pass(ms, steps = Math.ceil(ms / 300_000)) {
      child.stdin.write(`${ms} ${steps}\n`);
      now = Number((await lines.next()).value);
    },
    beginPass: (ms, steps) => void child.stdin.write(`${ms} ${steps}\n`),
    clientOptions: () => ({
      endpoint,
      region: 'us-east-1',
      credentials,
      systemClockOffset: now - Date.now(),
    }),
    env: {
      ...inherited,
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_PAGER: '',
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
