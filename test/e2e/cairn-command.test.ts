import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startServer, type TestServer } from './harness.ts';

const main = 'src/cli/main.ts';
const realEvents = '../shared/data/cloudtrail';

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running command and what it has written so far. */
interface Running {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves once `words` stand in what it wrote; rejects when it ends without them. */
  said(words: string): Promise<void>;
  /** Resolves when it has ended and everything that it wrote is there. */
  readonly ended: Promise<Outcome>;
}

function run(env: NodeJS.ProcessEnv, command: string, args: readonly string[], detached = false): Running {
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

function startCairn(env: NodeJS.ProcessEnv, ...args: string[]): Running {
  return run(env, process.execPath, [main, ...args]);
}

function cairn(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Outcome> {
  return startCairn(env, ...args).ended;
}

function shell(env: NodeJS.ProcessEnv, script: string): Promise<Outcome> {
  return run(env, '/bin/sh', ['-c', script]).ended;
}

let eventNumber = 0;

/** A record of an account of its own for each test, so that the tests do not see one another's events. */
function record(accountId: string, members: Readonly<Record<string, unknown>> = {}): string {
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

const logFile = (...records: readonly string[]) => `{"Records":[${records.join(',')}]}`;

let server: TestServer;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cairn-command-'));
  server = await startServer();
});
afterAll(async () => {
  await rm(folder, { recursive: true });
  await server[Symbol.asyncDispose]();
});

async function write(name: string, content: string | Uint8Array): Promise<string> {
  const file = join(folder, name);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, content);
  return file;
}

/** The environment of a shell that knows nothing of the server. */
function bareEnv(): NodeJS.ProcessEnv {
  const known = Object.entries(server.env).filter(([name]) => !name.startsWith('AWS_'));
  return {
    ...Object.fromEntries(known),
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
    AWS_CONFIG_FILE: '/nonexistent',
  };
}

describe('cairn env', () => {
  it('points a shell at the server', async () => {
    const script = `eval "$(${process.execPath} ${main} env --data ${server.data})" && printf '%s\\n' "$AWS_ENDPOINT_URL" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "$AWS_REGION" "\${AWS_PROFILE-unset}"`;
    const { stdout, code } = await shell({ ...bareEnv(), AWS_PROFILE: 'stale' }, script);
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
    const { code, stdout, stderr } = await cairn(bareEnv(), 'env', '--data', join(folder, 'absent'));
    expect([code, stdout]).toEqual([3, '']);
    expect(stderr).toContain('--data');
  });
});

describe('cairn import', () => {
  it('imports files and trees, names what is broken, and goes on', async () => {
    const account = '200000000001';
    const whole = gzipSync(logFile(record(account), record(account, { awsRegion: 'us-west-2' })));
    await write('mixed/2026/good.json.gz', whole);
    await write('mixed/good.json', logFile(record(account, { eventTime: '2026-10-02T00:00:00Z' })));
    await write('mixed/cut.json.gz', whole.subarray(0, whole.length - 20));
    await write('mixed/no-records.json', '{"records":[]}');
    await write(
      'mixed/not-utf8.json',
      Buffer.concat([Buffer.from('{"Records":[{"a":"'), Buffer.from([0xff]), Buffer.from('"}]}')]),
    );
    await write('mixed/no-event-id.json', logFile(record(account), record(account, { eventID: undefined })));
    await write('mixed/readme.txt', 'no log file');

    const first = await cairn(server.env, 'import', join(folder, 'mixed'));
    expect(first.code).toBe(1);
    for (const name of ['cut.json.gz', 'no-records.json', 'not-utf8.json']) {
      expect(first.stderr).toMatch(new RegExp(`broken: \\S*${name.replaceAll('.', String.raw`\.`)}: \\w`));
    }
    expect(first.stderr).toMatch(/no-event-id\.json: 1 bad record: record 1: no eventID/);
    expect(first.stdout).toContain('files     6 files');
    expect(first.stdout).toContain('3 broken');
    expect(first.stdout).toContain('4 events: 4 new, 0 duplicates, 1 bad record');
    expect(first.stdout).toContain(`accounts  ${account}`);
    expect(first.stdout).toContain('regions   eu-west-1, us-west-2');
    expect(first.stdout).toContain('2026-10-01T08:15:00Z to 2026-10-02T00:00:00Z');

    const second = await cairn(server.env, 'import', '--json', join(folder, 'mixed'));
    const summary = JSON.parse(second.stdout) as Record<string, unknown>;
    expect(summary).toMatchObject({ filesTotal: 6, filesKnown: 3, events: 0, added: 0 });
    expect(summary['broken']).toHaveLength(3);

    const found = await cairn(server.env, 'lookup', '--account-id', account, '--json');
    expect(found.stdout.trim().split('\n')).toHaveLength(4);
  });

  it('takes the same event once, whatever files it stands in, and keeps its bytes', async () => {
    const account = '200000000002';
    const same = record(account).replace('"eventVersion"', '  "eventVersion"');
    await write('twice/a.json', logFile(same));
    await write('twice/b.json', logFile(same, record(account)));
    const { stdout, code } = await cairn(server.env, 'import', join(folder, 'twice'));
    expect(code).toBe(0);
    expect(stdout).toContain('3 events: 2 new, 1 duplicate');
    const found = await cairn(server.env, 'lookup', '--account-id', account, '--json');
    expect(found.stdout.split('\n')).toContain(same);
  });

  it('reports paths that are not there, and imports the others', async () => {
    const file = await write('one/a.json', logFile(record('200000000003')));
    const { code, stdout, stderr } = await cairn(server.env, 'import', join(folder, 'nowhere'), file);
    expect(code).toBe(1);
    expect(stderr).toMatch(/broken: \S*nowhere: no such file or directory/);
    expect(stdout).toContain('1 event: 1 new');
  });

  it('waits for a server that goes away, and goes on when it is back', async () => {
    const account = '200000000004';
    const files = 60;
    for (let at = 0; at < files; at++) {
      const records = Array.from({ length: 50 }, () => record(account));
      await write(`restart/${at}.json.gz`, gzipSync(logFile(...records)));
    }
    await using home = await openHome();
    const first = await home.start();
    const importing = cairn(home.env, 'import', '--json', '--workers', '2', join(folder, 'restart'));
    await eventually(async () => {
      const { stdout } = await cairn(home.env, 'count', '--account-id', account, '--json');
      const { count = 0 } = JSON.parse(stdout.trim() || '{}') as { count?: number };
      return count > 0 ? count : undefined;
    });
    first.child.kill('SIGKILL');
    await first.ended;
    await home.start();
    const { code, stdout } = await importing;
    expect(JSON.parse(stdout)).toMatchObject({ filesDone: files, broken: [] });
    expect(code).toBe(0);
    const counted = await cairn(home.env, 'count', '--account-id', account, '--json');
    expect(JSON.parse(counted.stdout)).toMatchObject({ count: files * 50 });
  });

  it.skipIf(!existsSync(realEvents))(
    'imports real log files whole (skipped where ../shared/data is absent)',
    async () => {
      const names = (await readdir(realEvents, { recursive: true })).filter((name) =>
        /\.json(\.gz)?$/.test(name),
      );
      const ids = new Set<string>();
      for (const name of names) {
        const bytes = await readFile(join(realEvents, name));
        const content = JSON.parse((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()) as unknown;
        const list = Array.isArray(content) ? content : (content as { Records: unknown[] }).Records;
        for (const event of list as { eventID: string }[]) ids.add(event.eventID);
      }
      const { stdout, code } = await cairn(server.env, 'import', '--json', realEvents);
      expect(JSON.parse(stdout)).toMatchObject({ filesTotal: names.length, broken: [], badRecords: 0 });
      expect(code).toBe(0);
      const found = await cairn(
        server.env,
        'lookup',
        '--all',
        '--json',
        '--not',
        `account-id=${server.accountId}`,
      );
      const foundIds = new Set(
        found.stdout
          .trim()
          .split('\n')
          .map((line) => (JSON.parse(line) as { eventID: string }).eventID),
      );
      expect([...ids].filter((id) => !foundIds.has(id))).toEqual([]);
    },
  );
});

describe('cairn lookup', () => {
  it('shows a table that hostile records cannot act on', async () => {
    const account = '200000000005';
    const hostile = {
      userIdentity: { type: 'IAMUser', accountId: account, userName: '\u001b[2Jroot\u202e' },
      errorCode: 'Access\nDenied',
    };
    const file = await write('hostile.json', logFile(record(account, hostile)));
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
    await cairn(server.env, 'import', await write('filters.json', logFile(...records)));
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
    await cairn(server.env, 'import', await write('many.json', logFile(...records)));
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
    await cairn(server.env, 'import', await write('count.json', logFile(...records)));
    const of = (...args: string[]) => cairn(server.env, 'count', '--account-id', account, ...args);
    expect((await of('--by', 'event-name')).stdout).toBe('COUNT  EVENTNAME\n    3  A\n    1  B\n');
    const hourly = (await of('--by', 'EventName', '--bucket', '1h')).stdout.split('\n');
    expect(hourly[0]).toBe('COUNT  FROM                  EVENTNAME');
    expect(hourly[1]).toBe('    2  2026-10-01T08:00:00Z  A');
    expect(hourly).toHaveLength(5);
    expect(JSON.parse((await of('--json')).stdout)).toMatchObject({ count: 4 });
  });
});

describe('cairn tail', () => {
  it('shows events as they come, filtered, and ends with 0 on Ctrl-C', async () => {
    const account = '200000000009';
    const tail = startCairn(server.env, 'tail', '--json', '--event-name', 'Wanted');
    await tail.said('following');
    const records = [record(account, { eventName: 'Other' }), record(account, { eventName: 'Wanted' })];
    await cairn(server.env, 'import', await write('tail.json', logFile(...records)));
    await tail.said('Wanted');
    tail.child.kill('SIGINT');
    const { code, stdout, stderr } = await tail.ended;
    expect(code).toBe(0);
    expect(stderr).not.toContain('interrupted');
    expect(stdout).toBe(`${records[1]}
`);
  });

  it('begins with what is in the history, oldest first, and shows nothing twice', async () => {
    const account = '200000000011';
    const at = (hour: string) => record(account, { eventTime: `2026-10-01T${hour}:00:00Z` });
    const records = [at('05'), at('06'), at('07')];
    await cairn(server.env, 'import', await write('history.json', logFile(...records.toReversed())));
    const args = ['--account-id', account, '--from', '2026-10-01T06:00:00Z', '--limit', '3', '--json'];
    const tail = startCairn(server.env, 'tail', ...args);
    await tail.said('"2026-10-01T07:00:00Z"');
    const late = at('08');
    await cairn(server.env, 'import', await write('late.json', logFile(late)));
    const { code, stdout } = await tail.ended;
    expect([code, stdout]).toEqual([0, `${records[1]}\n${records[2]}\n${late}\n`]);
  });

  it('goes on where it was after the server was away', async () => {
    const account = '200000000010';
    await using home = await openHome();
    const first = await home.start();
    const tail = startCairn(home.env, 'tail', '--json', '--limit', '2', '--account-id', account);
    await tail.said('following');
    const [before, after] = [record(account), record(account)];
    await cairn(home.env, 'import', await write('before.json', logFile(before)));
    await tail.said('DeleteBucket');
    first.child.kill('SIGTERM');
    await first.ended;
    const second = await home.start();
    await cairn(home.env, 'import', await write('after.json', logFile(after)));
    expect((await tail.ended).stdout).toBe(`${before}\n${after}\n`);
    second.child.kill('SIGTERM');
    expect((await second.ended).code).toBe(0);
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
    const file = await write('profiles', created.stdout);
    const env = { ...bareEnv(), AWS_ENDPOINT_URL: server.endpoint, AWS_SHARED_CREDENTIALS_FILE: file };
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
    await using home = await openHome();
    const running = await home.start();
    running.child.kill('SIGKILL');
    await running.ended;
    await chmod(join(home.data, 'credentials'), 0o644);
    const { code, stdout } = await cairn(home.env, 'doctor', '--data', home.data);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^fail {2}permissions .*credentials may be read by others \(mode 644\)/m);
    expect(stdout).toMatch(/chmod 600/);
    expect(stdout).toMatch(/^fail {2}server .*no Cairn listens/m);
    expect(stdout).toMatch(/^warn {2}held by .*no longer runs/m);
    expect(stdout).toMatch(/^ok {4}journal .*journal\/audit: \d+ entr(y|ies) from 0 on/m);
  });
});

describe('exit codes', () => {
  it.each([
    [['lookup', '--limit', '0'], 2, '--limit takes a whole number'],
    [['lookup', '--colour', 'red'], 2, "unknown option '--colour'"],
    [['nonsense'], 2, "unknown command 'nonsense'"],
    [['import'], 2, 'missing required argument'],
    [['lookup', '--endpoint', 'not a URL'], 2, '--endpoint takes a URL'],
    [['lookup', '--endpoint', 'http://127.0.0.1:1'], 3, 'no Cairn listens'],
    [['start', '--listen', 'nowhere'], 2, 'takes HOST:PORT'],
    [['start', '--listen', '127.0.0.1:0', '--data', '/dev/null'], 1, '/dev/null'],
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
    for (const args of [['--help'], ['lookup', '--help'], ['--version'], ['version']]) {
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

describe.skipIf(!oldNode)('bin/cairn.js on an older Node (skipped where there is none)', () => {
  it('runs on the Node that Cairn brings, with its exit codes and signals', async () => {
    const refused = await run(server.env, oldNode!, ['bin/cairn.js', 'lookup', '--limit', '0']).ended;
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('--limit takes')]);
    const data = join(folder, 'old-node');
    const args = ['bin/cairn.js', 'start', '--listen', '127.0.0.1:0', '--data', data];
    const started = run(bareEnv(), oldNode!, args);
    await started.said('listens at');
    started.child.kill('SIGTERM');
    expect((await started.ended).code).toBe(0);
    expect(existsSync(join(data, 'holder.json'))).toBe(false);
  });
});

describe('cairn start', () => {
  it('prints where it listens and where the credentials are, and ends with 0 on SIGTERM', async () => {
    await using home = await openHome();
    const running = await home.start();
    const file = join(home.data, 'credentials');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
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

  it('runs as the README says, through npm, and ends with Ctrl-C', async () => {
    const data = join(folder, 'npm');
    // A group of its own, so that the signal reaches everybody in it, as a terminal's Ctrl-C does.
    const npm = run(bareEnv(), 'npm', ['start', '--', '--listen', '127.0.0.1:0', '--data', data], true);
    await npm.said('listens at');
    const endpoint = (await readFile(join(data, 'endpoint'), 'utf8')).trim();
    expect((await fetch(`${endpoint}/_cairn/health`)).status).toBe(200);
    process.kill(-npm.child.pid!, 'SIGINT');
    await npm.ended;
    await expect(fetch(`${endpoint}/_cairn/health`)).rejects.toThrow();
    expect(existsSync(join(data, 'holder.json'))).toBe(false);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** A data directory and an address for a server that is stopped and started again. */
async function openHome() {
  const data = await mkdtemp(join(tmpdir(), 'cairn-home-'));
  const listen = `127.0.0.1:${await freePort()}`;
  const env = { ...server.env, AWS_ENDPOINT_URL: `http://${listen}` };
  const serverEnv = {
    ...bareEnv(),
    CAIRN_ROOT_ACCESS_KEY_ID: server.credentials.accessKeyId,
    CAIRN_ROOT_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    CAIRN_LOG_LEVEL: 'error',
  };
  const children: ChildProcess[] = [];
  return {
    data,
    env,
    /** Starts the server and waits until it listens. */
    async start(): Promise<Running> {
      const running = run(serverEnv, process.execPath, [main, 'start', '--listen', listen, '--data', data]);
      children.push(running.child);
      await running.said('listens at');
      return running;
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
      await rm(data, { recursive: true });
    },
  };
}
