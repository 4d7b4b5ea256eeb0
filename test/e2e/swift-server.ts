import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

/**
 * OpenStack Swift with its s3api, as Debian packages it: an S3 that this project did not write. One replica of everything in a
 * temporary directory, on free ports of loopback. Its processes end with the one that started them, however that ends.
 */

const ringBuilder = '/usr/bin/swift-ring-builder';
/** Runs a program that the system kills when its parent is gone. */
const setpriv = '/usr/bin/setpriv';
const endsWithParent = ['--pdeathsig', 'KILL', '--'];

const programs = ['account', 'container', 'object', 'proxy'].map((name) => `/usr/bin/swift-${name}-server`);

/** Whether swift-proxy, swift-account, swift-container, swift-object and memcached are installed. */
export const hasSwift = [...programs, ringBuilder, '/usr/bin/memcached', setpriv].every((path) =>
  existsSync(path),
);

export interface SwiftServer extends AsyncDisposable {
  readonly endpoint: string;
  readonly region: 'us-east-1';
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/**
 * Starts a program of Swift with the limits of a `swift.conf`: Swift reads them from /etc alone. Digest files need a greater
 * one than Swift has by default, for the signature in their metadata. Arguments: the program, `swift.conf`, its own file.
 */
const withLimits = `
import runpy, sys
from swift.common import utils
program, utils.SWIFT_CONF_FILE = sys.argv.pop(1), sys.argv.pop(1)
from swift.common import constraints
constraints.reload_constraints()
runpy.run_path(program, run_name='__main__')
`;

const services = ['account', 'container', 'object'] as const;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const common = (directory: string, port: number): string =>
  `[DEFAULT]\nbind_ip = 127.0.0.1\nbind_port = ${port}\nswift_dir = ${directory}\nworkers = 0\nuser = ${process.env['USER'] ?? 'root'}\n`;

function storageConfiguration(directory: string, name: string, port: number): string {
  return `${common(directory, port)}devices = ${directory}/devices
mount_check = false
recon_cache_path = ${directory}/cache
[pipeline:main]
pipeline = ${name}-server
[app:${name}-server]
use = egg:swift#${name}
`;
}

function proxyConfiguration(directory: string, port: number, cachePort: number): string {
  return `${common(directory, port)}[pipeline:main]
pipeline = catch_errors gatekeeper cache listing_formats s3api tempauth copy slo dlo versioned_writes proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${cachePort}
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
`;
}

const runFile = promisify(execFile);

/** Says where the one device of a service is. */
async function buildRing(directory: string, name: string, port: number, signal: AbortSignal): Promise<void> {
  const builder = join(directory, `${name}.builder`);
  const run = (...args: string[]) =>
    runFile(setpriv, [...endsWithParent, ringBuilder, builder, ...args], { signal, killSignal: 'SIGKILL' });
  await run('create', '4', '1', '1');
  await run('add', `r1z1-127.0.0.1:${port}/d1`, '1');
  await run('rebalance');
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function waitFor(port: number, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; !(await listens(port)); attempt++) {
    if (attempt === 600) throw new Error(`Swift did not listen on port ${port}`);
    await pause(50, undefined, { signal });
  }
}

/**
 * Starts Swift; resolves when all of it listens. Rejects when the signal is aborted before that. Then, as when anything
 * else fails, everything that was started has ended.
 */
export async function startSwift(signal: AbortSignal): Promise<SwiftServer> {
  const directory = await mkdtemp(join(tmpdir(), 'cairn-swift-'));
  const children: ChildProcess[] = [];
  const start = (command: string, args: readonly string[]) => {
    signal.throwIfAborted();
    const child = spawn(setpriv, [...endsWithParent, command, ...args], {
      stdio: 'ignore',
      env: { PATH: '/usr/bin:/bin' },
    });
    // What does not start does not listen, which is said then.
    child.on('error', () => {});
    children.push(child);
  };
  const startSwiftProgram = (name: string, file: string) =>
    start('/usr/bin/python3', [
      '-c',
      withLimits,
      `/usr/bin/swift-${name}-server`,
      join(directory, 'swift.conf'),
      file,
    ]);
  const stop = async () => {
    await Promise.all(children.map(kill));
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await mkdir(join(directory, 'devices', 'd1'), { recursive: true });
    await mkdir(join(directory, 'cache'));
    await writeFile(
      join(directory, 'swift.conf'),
      '[swift-hash]\nswift_hash_path_suffix = test\nswift_hash_path_prefix = test\n[storage-policy:0]\nname = one\ndefault = yes\n[swift-constraints]\nmax_meta_value_length = 512\n',
    );
    const [cachePort, proxyPort] = [await freePort(), await freePort()];
    const asRoot = process.getuid?.() === 0 ? ['-u', 'root'] : [];
    start('/usr/bin/memcached', ['-l', '127.0.0.1', '-p', String(cachePort), '-m', '8', ...asRoot]);
    const ports = [cachePort, proxyPort];
    for (const name of services) {
      const port = await freePort();
      ports.push(port);
      await buildRing(directory, name, port, signal);
      const file = join(directory, `${name}.conf`);
      await writeFile(file, storageConfiguration(directory, name, port));
      startSwiftProgram(name, file);
    }
    const file = join(directory, 'proxy.conf');
    await writeFile(file, proxyConfiguration(directory, proxyPort, cachePort));
    startSwiftProgram('proxy', file);
    for (const port of ports) await waitFor(port, signal);
    return {
      endpoint: `http://127.0.0.1:${proxyPort}`,
      region: 'us-east-1',
      accessKeyId: 'test:tester',
      secretAccessKey: 'testing',
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
