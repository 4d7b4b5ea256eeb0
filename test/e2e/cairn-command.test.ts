import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  cairn,
  logFile,
  main,
  openBench,
  record,
  run,
  shell,
  startCairn,
  type Bench,
} from './cairn-process.ts';
import type { TestServer } from './harness.ts';

let bench: Bench;
let server: TestServer;
let folder: string;
beforeAll(async () => {
  bench = await openBench();
  ({ server, folder } = bench);
});
afterAll(() => bench[Symbol.asyncDispose]());

describe('cairn env', () => {
  it('points a shell at the server', async () => {
    const script = `eval "$(${process.execPath} ${main} env --data ${server.data})" && printf '%s\\n' "$AWS_ENDPOINT_URL" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "$AWS_REGION" "\${AWS_PROFILE-unset}"`;
    const { stdout, code } = await shell({ ...bench.bareEnv(), AWS_PROFILE: 'stale' }, script);
    const { accessKeyId, secretAccessKey } = server.credentials;
    expect(stdout.split('\n')).toEqual([
      server.endpoint,
      accessKeyId,
      secretAccessKey,
      'us-east-1',
      'unset',
      '',
    ]);
    expect(code).toBe(0);
  });

  it('says what to do where there is no data directory', async () => {
    const { code, stdout, stderr } = await cairn(bench.bareEnv(), 'env', '--data', join(folder, 'absent'));
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(/absent is no data directory of Cairn: .*`npm start`, or name .* --data/);
  });
});

describe('cairn lookup', () => {
  it('shows a table that hostile records cannot act on', async () => {
    const account = '200000000005';
    const hostile = {
      userIdentity: { type: 'IAMUser', accountId: account, userName: '\u001b[2Jroot\u202e' },
      errorCode: 'Access\nDenied',
    };
    const file = await bench.write('hostile.json', logFile(record(account, hostile)));
    await cairn(server.env, 'import', file);
    const { stdout, stderr, code } = await cairn(server.env, 'lookup', '--account-id', account);
    expect(code).toBe(0);
    expect(stderr).toBe('');
    const lines = stdout.split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toContain(String.raw`\x1b[2Jroot\u202e`);
    expect(stdout).not.toMatch(/[\p{Bidi_Control}]|(?!\n)\p{Cc}/u);
  });

  it('filters, limits, and writes CSV', async () => {
    const account = '200000000006';
    const records = Array.from({ length: 5 }, (_, at) =>
      record(account, {
        eventTime: `2026-10-0${at + 1}T00:00:00Z`,
        eventName: at % 2 === 0 ? 'Even' : 'Odd',
      }),
    );
    await cairn(server.env, 'import', await bench.write('filters.json', logFile(...records)));
    const of = (...args: string[]) => cairn(server.env, 'lookup', '--account-id', account, ...args);
    const names = async (...args: string[]) =>
      (await of('--json', ...args)).stdout
        .split('\n')
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { eventTime: string }).eventTime.slice(8, 10));
    expect(await names()).toEqual(['05', '04', '03', '02', '01']);
    expect(await names('--event-name', 'Odd')).toEqual(['04', '02']);
    expect(await names('--not', 'eventName=Odd', '--limit', '2')).toEqual(['05', '03']);
    expect(await names('--from', '2026-10-02', '--to', '2026-10-03T00:00:00Z')).toEqual(['03', '02']);
    expect(await names('--source-ip', '203.0.113.0/24', '--text', '"Even"')).toEqual(['05', '03', '01']);
    expect(await names('--source-ip', '198.51.100.0/24')).toEqual([]);
    const csv = (await of('--csv')).stdout.split('\r\n');
    expect(csv[0]).toContain('eventTime');
    expect(csv).toHaveLength(7);
    const empty = await of('--event-name', 'Nothing');
    expect([empty.code, empty.stdout, empty.stderr]).toEqual([0, '', 'No event matches.\n']);
    const limited = await of('--limit', '2');
    expect(limited.stdout.trim().split('\n')).toHaveLength(3);
  });

  it('stops quietly when the reader of its results has had enough', async () => {
    const account = '200000000007';
    const records = Array.from({ length: 3000 }, () => record(account));
    await cairn(server.env, 'import', await bench.write('many.json', logFile(...records)));
    const script = `{ ${process.execPath} ${main} lookup --account-id ${account} --all --json; echo "code $?" >&2; } | head -n 1`;
    const { stdout, stderr } = await shell(server.env, script);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(stderr).toBe('code 0\n');
  });
});

describe('cairn count', () => {
  it('counts by attributes and stretches of time', async () => {
    const account = '200000000008';
    const at = (hour: string, eventName: string) =>
      record(account, { eventTime: `2026-10-01T${hour}:10:00Z`, eventName });
    const records = [at('08', 'A'), at('08', 'A'), at('08', 'B'), at('09', 'A')];
    await cairn(server.env, 'import', await bench.write('count.json', logFile(...records)));
    const of = (...args: string[]) => cairn(server.env, 'count', '--account-id', account, ...args);
    expect((await of('--by', 'event-name')).stdout).toBe('COUNT  EVENTNAME\n    3  A\n    1  B\n');
    const hourly = (await of('--by', 'EventName', '--bucket', '1h')).stdout.split('\n');
    expect(hourly[0]).toBe('COUNT  FROM                  EVENTNAME');
    expect(hourly[1]).toBe('    2  2026-10-01T08:00:00Z  A');
    expect(hourly).toHaveLength(5);
    expect(JSON.parse((await of('--json')).stdout)).toMatchObject({ count: 4 });
  });
});

describe('cairn accounts and cairn retention', () => {
  it('create an account whose root key works, and keep its events as long as asked', async () => {
    const created = await cairn(
      server.env,
      'accounts',
      'create',
      '--name',
      'Audited',
      '--account-id',
      '300000000001',
    );
    expect(created.code).toBe(0);
    expect(created.stderr).toContain('shown this once');
    const file = await bench.write('profiles', created.stdout);
    const env = { ...bench.bareEnv(), AWS_ENDPOINT_URL: server.endpoint, AWS_SHARED_CREDENTIALS_FILE: file };
    const own = await cairn(env, 'lookup', '--profile', 'cairn-300000000001', '--json', '--all');
    expect([own.code, own.stderr]).toEqual([0, '']);
    const foreign = await cairn(
      env,
      'lookup',
      '--profile',
      'cairn-300000000001',
      '--account-id',
      server.accountId,
    );
    expect(foreign.code).toBe(3);
    const listed = await cairn(server.env, 'accounts');
    expect(listed.stdout).toMatch(/300000000001 +Audited .*member/);
    expect(listed.stdout).toMatch(new RegExp(`${server.accountId} .*management`));

    const kept = await cairn(server.env, 'retention', '--account-id', '300000000001', '--days', '400');
    expect(kept.stdout).toMatch(/^300000000001 +400 days$/m);
    const forever = await cairn(server.env, 'retention', '--account-id', '300000000001', '--days', 'forever');
    expect(forever.stdout).toMatch(/^300000000001 +for good$/m);
  });
});

describe('cairn doctor', () => {
  it('finds nothing wrong with a healthy server', async () => {
    const { code, stdout, stderr } = await cairn(server.env, 'doctor', '--data', server.data);
    expect(stdout).toMatch(/^ok {4}server +http:\/\/127\.0\.0\.1:\d+, version/m);
    expect(stdout).toMatch(/^ok {4}permissions/m);
    expect(stdout).toMatch(/^ok {4}held by +process \d+ since/m);
    expect(stdout).toMatch(/^ok {4}reader/m);
    expect(stdout).not.toMatch(/^fail/m);
    expect(stderr).toMatch(/\d+ ok, \d+ to look at, 0 wrong/);
    expect(code).toBe(0);
  });

  it('says what is wrong with a data directory that others may read, and that no server holds', async () => {
    await using home = await bench.openHome();
    const running = await home.start();
    running.child.kill('SIGKILL');
    await running.ended;
    await chmod(join(home.data, 'credentials'), 0o644);
    const { code, stdout } = await cairn(home.env, 'doctor', '--data', home.data);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^fail {2}permissions .*credentials may be read by others \(mode 644\)/m);
    expect(stdout).toMatch(/chmod 600/);
    expect(stdout).toMatch(/^fail {2}server .*no Cairn listens/m);
    expect(stdout).toMatch(/^warn {2}held by .*ended without closing/m);
    expect(stdout).toMatch(/^ok {4}journal .*journal\/audit: \d+ entr(y|ies) from 0 on/m);
  });
});

describe('exit codes', () => {
  it.each([
    [['lookup', '--limit', '0'], 2, '--limit takes a whole number'],
    [['lookup', '--colour', 'red'], 2, "unknown option '--colour'"],
    [['nonsense'], 2, "unknown command 'nonsense'\nSee `cairn --help`."],
    [['help', 'lokup'], 2, "unknown command 'lokup'\n(Did you mean lookup?)\nSee `cairn --help`."],
    [['accounts', 'nonsense'], 2, "unknown command 'nonsense'\nSee `cairn accounts --help`."],
    [['accounts', 'create'], 2, "'--name <name>' not specified\nSee `cairn accounts create --help`."],
    [['accounts', '--colour'], 2, "unknown option '--colour'\nSee `cairn accounts list --help`."],
    [['import'], 2, 'missing required argument'],
    [['lookup', '--endpoint', 'not a URL'], 2, '--endpoint takes a URL'],
    [['lookup', '--endpoint', 'http://127.0.0.1:1'], 3, 'no Cairn listens'],
    [['query', '--endpoint', 'http://127.0.0.1:1', 'SELECT 1'], 3, 'no Cairn listens'],
    [['query', '--csv', '--json', 'SELECT 1'], 2, '--json and --csv exclude each other'],
    [['start', '--listen', 'nowhere'], 2, 'takes HOST:PORT'],
    [['start', '--listen', '127.0.0.1:0', '--data', '/dev/null'], 1, '/dev/null'],
    [['export', '--parquet', '/dev/null'], 1, 'cairn: EEXIST: file already exists'],
  ])('%j ends with %i', async (args, code, message) => {
    const outcome = await cairn(server.env, ...args);
    expect(outcome.stderr).toContain(message);
    expect([outcome.code, outcome.stdout]).toEqual([code, '']);
    expect(outcome.stderr).not.toContain('    at ');
  });

  it('3 when the server does not know the key, and the message says whose key it was', async () => {
    const env = { ...server.env, AWS_ACCESS_KEY_ID: 'AKIAUNKNOWNKEY000001' };
    const { code, stderr } = await cairn(env, 'lookup');
    expect(code).toBe(3);
    expect(stderr).toContain('AWS_ACCESS_KEY_ID in the environment');
  });

  it('0 for help and version, on standard output', async () => {
    const help = [
      ['accounts', '--help'],
      ['accounts', 'help', 'create'],
      ['help', 'lookup'],
      ['help', 'help'],
    ];
    for (const args of [['--help'], ['lookup', '--help'], ['--version'], ['version'], ...help]) {
      const { code, stdout, stderr } = await cairn(server.env, ...args);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).not.toBe('');
    }
  });
});

/** A Node of this machine that is too old for Cairn, if it has one. */
function findOldNode(): string | undefined {
  const files = ['/usr/bin/node', '/usr/local/bin/node'].filter((file) => existsSync(file));
  return files.find((file) => Number(execFileSync(file, ['-p', 'process.versions.node.split(".")[0]'])) < 24);
}

const oldNode = findOldNode();

/** How the process that holds a data directory was started. */
async function commandLineOf(data: string): Promise<string> {
  const { pid } = JSON.parse(await readFile(join(data, 'holder.json'), 'utf8')) as { pid: number };
  return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
}

describe('bin/cairn.js on this Node', () => {
  it('runs the server with the flag that it needs, and passes signals on', async () => {
    const data = join(folder, 'this-node');
    const args = ['bin/cairn.js', 'start', '--listen', '127.0.0.1:0', '--data', data];
    const started = run(bench.bareEnv(), process.execPath, args);
    await started.said('listens at');
    expect(await commandLineOf(data)).toContain('--no-memory-protection-keys');
    started.child.kill('SIGTERM');
    expect((await started.ended).code).toBe(0);
    expect(existsSync(join(data, 'holder.json'))).toBe(false);
  });
});

describe.skipIf(!oldNode)('bin/cairn.js on an older Node (skipped where there is none)', () => {
  it('runs on the Node that Cairn brings, with its exit codes and signals', async () => {
    const refused = await run(server.env, oldNode!, ['bin/cairn.js', 'lookup', '--limit', '0']).ended;
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--limit takes')]);
    const data = join(folder, 'old-node');
    const args = ['bin/cairn.js', 'start', '--listen', '127.0.0.1:0', '--data', data];
    const started = run(bench.bareEnv(), oldNode!, args);
    await started.said('listens at');
    expect(await commandLineOf(data)).toContain('--no-memory-protection-keys');
    started.child.kill('SIGTERM');
    expect((await started.ended).code).toBe(0);
    expect(existsSync(join(data, 'holder.json'))).toBe(false);
  });
});

describe('packaging/is-healthy.js', () => {
  it.each([
    ['0 where the server answers', () => server.data, 0],
    ['1 where there is none', () => join(folder, 'none'), 1],
  ])('ends with %s', async (_, data, code) => {
    const env = { ...bench.bareEnv(), CAIRN_DATA: data() };
    expect((await run(env, process.execPath, ['packaging/is-healthy.js']).ended).code).toBe(code);
  });
});

describe('cairn start', () => {
  it('prints where it listens and where the credentials are, and ends with 0 on SIGTERM', async () => {
    await using home = await bench.openHome();
    const running = await home.start();
    const file = join(home.data, 'credentials');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(execFileSync('find', [home.data, '-perm', '/077'], { encoding: 'utf8' })).toBe('');
    running.child.kill('SIGTERM');
    const { code, stdout, stderr } = await running.ended;
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Cairn \S+ listens at http:\/\/127\.0\.0\.1:\d+\ncredentials: \S+\n$/);
    expect(stdout).toContain(file);
  });

  it('refuses an address and a data directory that are taken, and says by whom', async () => {
    const { host } = new URL(server.endpoint);
    const taken = await cairn(server.env, 'start', '--listen', host, '--data', join(folder, 'second'));
    expect(taken.code).toBe(1);
    expect(taken.stderr).toContain(`${host} is taken`);
    const held = await cairn(server.env, 'start', '--listen', '127.0.0.1:0', '--data', server.data);
    expect(held.code).toBe(1);
    expect(held.stderr).toContain(`process ${server.process.pid}`);
    expect(held.stderr).not.toContain('    at ');
  });

  it.each([
    ['Ctrl-C, which reaches the whole process group', 'SIGINT', true],
    ['SIGTERM to npm alone', 'SIGTERM', false],
  ] as const)('runs as the README says, through npm, and ends with %s', async (_, signal, group) => {
    const data = join(folder, `npm-${signal}`);
    const npm = run(bench.bareEnv(), 'npm', ['start', '--', '--listen', '127.0.0.1:0', '--data', data], true);
    await npm.said('listens at');
    const endpoint = (await readFile(join(data, 'endpoint'), 'utf8')).trim();
    expect((await fetch(`${endpoint}/_cairn/health`)).status).toBe(200);
    process.kill(group ? -npm.child.pid! : npm.child.pid!, signal);
    await npm.ended;
    await expect(fetch(`${endpoint}/_cairn/health`)).rejects.toThrow();
    expect(existsSync(join(data, 'holder.json'))).toBe(false);
  });

  it('ends when its data directory is deleted, and leaves the one that another server made in its place alone', async () => {
    await using home = await bench.openHome();
    const first = await home.start();
    // It looks once a second; stopped, it finds the directory made anew when it is told to end.
    first.child.kill('SIGSTOP');
    await rm(home.data, { recursive: true });
    const args = ['start', '--listen', '127.0.0.1:0', '--data', home.data];
    const second = startCairn(bench.bareEnv(), ...args);
    await second.said('listens at');
    const written = ['holder.json', 'history', 'insights', 'tlog'].map((name) => join(home.data, name));
    const files = () => execFileSync('find', [...written, '-printf', '%p %i\n'], { encoding: 'utf8' });
    const before = files();
    first.child.kill('SIGTERM');
    first.child.kill('SIGCONT');
    const { code, stderr } = await first.ended;
    expect(stderr).toContain(`is now in use by process ${second.child.pid}`);
    expect(code).toBe(1);
    expect(files().split('\n')).toEqual(before.split('\n'));
    await rm(home.data, { recursive: true });
    expect(await second.ended).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('was deleted or moved'),
    });
  });
});
