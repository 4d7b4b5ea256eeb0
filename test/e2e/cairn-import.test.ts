import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cairn, logFile, openBench, record, startCairn, type Bench } from './cairn-process.ts';
import { eventually, type TestServer } from './harness.ts';

const realEvents = '../shared/data/cloudtrail';

let bench: Bench;
let server: TestServer;
let folder: string;
beforeAll(async () => {
  bench = await openBench();
  ({ server, folder } = bench);
});
afterAll(() => bench[Symbol.asyncDispose]());

describe('cairn import', () => {
  it('imports files and trees, names what is broken, and goes on', async () => {
    const account = '200000000001';
    const whole = gzipSync(logFile(record(account), record(account, { awsRegion: 'us-west-2' })));
    await bench.write('mixed/2026/good.json.gz', whole);
    await bench.write('mixed/good.json', logFile(record(account, { eventTime: '2026-10-02T00:00:00Z' })));
    await bench.write('mixed/cut.json.gz', whole.subarray(0, whole.length - 20));
    await bench.write('mixed/no-records.json', '{"records":[]}');
    await bench.write(
      'mixed/not-utf8.json',
      Buffer.concat([Buffer.from('{"Records":[{"a":"'), Buffer.from([0xff]), Buffer.from('"}]}')]),
    );
    await bench.write(
      'mixed/no-event-id.json',
      logFile(record(account), record(account, { eventID: undefined })),
    );
    await bench.write('mixed/readme.txt', 'no log file');

    const first = await cairn(server.env, 'import', join(folder, 'mixed'));
    expect(first.code).toBe(1);
    for (const name of ['cut.json.gz', 'no-records.json', 'not-utf8.json']) {
      expect(first.stderr).toMatch(new RegExp(`broken: \\S*${name.replaceAll('.', String.raw`\.`)}: \\w`));
    }
    expect(first.stderr).toMatch(/no-event-id\.json: 1 bad record: record 1: no eventID/);
    expect(first.stdout).toContain('files     6 files');
    expect(first.stdout).toContain('3 broken');
    expect(first.stdout).toContain('passed    1 other file (their names do not end in .json or .json.gz)');
    expect(first.stdout).toContain('4 events: 4 new, 0 duplicates, 1 bad record');
    expect(first.stdout).toContain(`accounts  ${account}`);
    expect(first.stdout).toContain('regions   eu-west-1, us-west-2');
    expect(first.stdout).toContain('2026-10-01T08:15:00Z to 2026-10-02T00:00:00Z');

    const second = await cairn(server.env, 'import', '--json', join(folder, 'mixed'));
    const summary = JSON.parse(second.stdout) as Record<string, unknown>;
    expect(summary).toMatchObject({ filesTotal: 6, filesKnown: 3, events: 0, added: 0, badRecords: 1 });
    expect(summary['broken']).toHaveLength(3);
    // What is wrong is said again, also where an import goes on that was interrupted.
    const third = await cairn(server.env, 'import', join(folder, 'mixed', 'no-event-id.json'));
    expect(third.code).toBe(1);
    expect(third.stderr).toMatch(/no-event-id\.json: 1 bad record: record 1: no eventID/);
    expect(third.stdout).toContain('1 imported before');
    const again = await cairn(server.env, 'import', '--again', '--json', join(folder, 'mixed'));
    expect(JSON.parse(again.stdout)).toMatchObject({ filesKnown: 0, events: 4, added: 0, duplicates: 4 });

    const found = await cairn(server.env, 'lookup', '--account-id', account, '--json');
    expect(found.stdout.trim().split('\n')).toHaveLength(4);
  });

  it('takes the same event once, whatever files it stands in, and keeps its bytes', async () => {
    const account = '200000000002';
    const same = record(account).replace('"eventVersion"', '  "eventVersion"');
    await bench.write('twice/a.json', logFile(same));
    await bench.write('twice/b.json', logFile(same, record(account)));
    const { stdout, code } = await cairn(server.env, 'import', join(folder, 'twice'));
    expect(code).toBe(0);
    expect(stdout).toContain('3 events: 2 new, 1 duplicate');
    const found = await cairn(server.env, 'lookup', '--account-id', account, '--json');
    expect(found.stdout.split('\n')).toContain(same);
  });

  it('reports paths that are not there, and imports the others', async () => {
    const file = await bench.write('one/a.json', logFile(record('200000000003')));
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
      await bench.write(`restart/${at}.json.gz`, gzipSync(logFile(...records)));
    }
    await using home = await bench.openHome();
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

  it('says of a caller who may not import that, and nothing of what stays', async () => {
    const file = await bench.write('refused.json', logFile(record('200000000006')));
    const created = await cairn(server.env, 'accounts', 'create', '--name', 'refused', '--json');
    const { rootKey } = JSON.parse(created.stdout) as { rootKey: Record<string, string> };
    const env = {
      ...server.env,
      AWS_ACCESS_KEY_ID: rootKey['accessKeyId'],
      AWS_SECRET_ACCESS_KEY: rootKey['secretAccessKey'],
    };
    const { code, stderr } = await cairn(env, 'import', file);
    expect(code).toBe(3);
    expect(stderr).toMatch(/^cairn: AccessDeniedException: Only principals of the management account .*\n$/);
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

  it('ends with 130 on Ctrl-C, and says that what was imported stays', async () => {
    const file = await bench.write('interrupted.json', logFile(record('200000000012')));
    const env = { ...server.env, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };
    const importing = startCairn(env, 'import', file);
    await importing.said('waiting: no Cairn listens');
    importing.child.kill('SIGINT');
    const { code, stderr } = await importing.ended;
    expect(code).toBe(130);
    expect(stderr).toMatch(/cairn: interrupted\nWhat was imported stays; .* goes on from there\./);
  });
});

describe('cairn tail', () => {
  it('shows events as they come, filtered, and ends with 0 on Ctrl-C', async () => {
    const account = '200000000009';
    const tail = startCairn(server.env, 'tail', '--json', '--event-name', 'Wanted');
    await tail.said('following');
    const records = [record(account, { eventName: 'Other' }), record(account, { eventName: 'Wanted' })];
    await cairn(server.env, 'import', await bench.write('tail.json', logFile(...records)));
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
    await cairn(server.env, 'import', await bench.write('history.json', logFile(...records.toReversed())));
    const args = ['--account-id', account, '--from', '2026-10-01T06:00:00Z', '--limit', '3', '--json'];
    const tail = startCairn(server.env, 'tail', ...args);
    await tail.said('"2026-10-01T07:00:00Z"');
    const late = at('08');
    await cairn(server.env, 'import', await bench.write('late.json', logFile(late)));
    const { code, stdout } = await tail.ended;
    expect([code, stdout]).toEqual([0, `${records[1]}\n${records[2]}\n${late}\n`]);
  });

  it('goes on where it was after the server was away', async () => {
    const account = '200000000010';
    await using home = await bench.openHome();
    const first = await home.start();
    const tail = startCairn(home.env, 'tail', '--json', '--limit', '2', '--account-id', account);
    await tail.said('following');
    const [before, after] = [record(account), record(account)];
    await cairn(home.env, 'import', await bench.write('before.json', logFile(before)));
    await tail.said('DeleteBucket');
    first.child.kill('SIGTERM');
    await first.ended;
    const second = await home.start();
    await cairn(home.env, 'import', await bench.write('after.json', logFile(after)));
    expect((await tail.ended).stdout).toBe(`${before}\n${after}\n`);
    second.child.kill('SIGTERM');
    expect((await second.ended).code).toBe(0);
  });
});
