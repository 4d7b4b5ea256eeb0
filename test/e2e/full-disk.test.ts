import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { CreateUserCommand, IAMClient, ListUsersCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { main, run } from './cairn-process.ts';
import { eventually, nodeFlags, startServer, type TestServer } from './harness.ts';

const mibBytes = 1024 * 1024;

/** A file system of its own in memory, which only the system's administrator may mount; undefined where that is not allowed. */
function mountSmallDisk(): ({ readonly path: string } & Disposable) | undefined {
  const path = mkdtempSync(join(tmpdir(), 'cairn-small-disk-'));
  const mounted = spawnSync('/bin/mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=0700', 'tmpfs', path]);
  if (mounted.status !== 0) {
    rmdirSync(path);
    return undefined;
  }
  return {
    path,
    [Symbol.dispose]() {
      execFileSync('/bin/umount', [path]);
      rmdirSync(path);
    },
  };
}

/** Takes all the room that is left on a disk; returns the file that holds it. */
function fill(disk: string): string {
  const filler = join(disk, 'filler');
  let chunk = Buffer.alloc(mibBytes, 'full');
  while (chunk.length >= 1) {
    try {
      writeFileSync(filler, chunk, { flag: 'a' });
    } catch {
      chunk = chunk.subarray(0, Math.floor(chunk.length / 2));
    }
  }
  return filler;
}

function clientsOf({ clientOptions }: TestServer) {
  const iam = new IAMClient(clientOptions);
  const trail = new CloudTrailClient(clientOptions);
  const s3 = new S3Client({ ...clientOptions, forcePathStyle: true });
  const createUser = (UserName: string) => iam.send(new CreateUserCommand({ UserName }));
  const recorded = async (EventName: string, count: number) => {
    const LookupAttributes = [{ AttributeKey: 'EventName' as const, AttributeValue: EventName }];
    const { Events = [] } = await trail.send(new LookupEventsCommand({ LookupAttributes }));
    return Events.length >= count ? Events.length : undefined;
  };
  const users = async () => {
    const { Users = [] } = await iam.send(new ListUsersCommand({}));
    return new Set(Users.map(({ UserName }) => UserName));
  };
  const put = (Key: string, Body: Uint8Array) => s3.send(new PutObjectCommand({ Bucket: 'kept', Key, Body }));
  const get = async (Key: string) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'kept', Key }));
    return Body?.transformToByteArray();
  };
  return { createUser, recorded, users, put, get, s3 };
}

/** The fault that AWS's services answer when they cannot do something now. */
const refusal = {
  name: 'ServiceUnavailable',
  message: expect.stringContaining('because the disk is full; nothing was changed'),
  $metadata: expect.objectContaining({ httpStatusCode: 503 }),
};

const probe = mountSmallDisk();
probe?.[Symbol.dispose]();

it.skipIf(!probe)(
  'on a full disk (a small tmpfs, where it may be mounted) writes are refused by name, reads go on, writing resumes, and what was acknowledged is there after a kill',
  async () => {
    using disk = mountSmallDisk();
    if (!disk) throw new Error('the small disk is gone');
    const data = join(disk.path, 'data');
    const body = Buffer.alloc(300_000, 'bytes');
    {
      await using server = await startServer({ data });
      const { createUser, recorded, users, put, get, s3 } = clientsOf(server);
      await s3.send(new CreateBucketCommand({ Bucket: 'kept' }));
      await put('before', body);
      await createUser('before');
      const filler = fill(disk.path);
      // What is left of a page of a file may still take a record or two.
      const acknowledged = ['before'];
      for (let attempt = 0; ; attempt += 1) {
        const name = `filling-${attempt}`;
        const error = await createUser(name).then(
          () => undefined,
          (refused: unknown) => refused,
        );
        if (error === undefined) acknowledged.push(name);
        else {
          expect(error).toMatchObject(refusal);
          break;
        }
      }
      await expect(put('meanwhile', body)).rejects.toMatchObject(refusal);
      expect(await users()).toEqual(new Set(acknowledged));
      expect(await get('before')).toEqual(new Uint8Array(body));
      expect(await recorded('CreateUser', acknowledged.length)).toBe(acknowledged.length);
      rmSync(filler);
      await createUser('behind');
      await put('behind', body);
      expect(await users()).toEqual(new Set([...acknowledged, 'behind']));
      // Reads that were answered while their records found no room are recorded now.
      expect(await eventually(() => recorded('ListUsers', 2))).toBe(2);
      expect(await recorded('CreateUser', acknowledged.length + 1)).toBe(acknowledged.length + 1);
      fill(disk.path);
      await server.kill();
    }
    rmSync(join(disk.path, 'filler'));
    await using again = await startServer({ data });
    const { recorded, users, get } = clientsOf(again);
    expect([...(await users())]).toContain('behind');
    expect(await get('behind')).toEqual(new Uint8Array(body));
    expect(await recorded('CreateUser', 2)).toBeGreaterThanOrEqual(2);
  },
);

/** Sets the size beyond which a running process may write no file (`ulimit -f`); undefined takes the bound away. */
function limitFiles({ process }: TestServer, sizeBytes: number | undefined): void {
  execFileSync('/usr/bin/prlimit', [`--pid=${process.pid}`, `--fsize=${sizeBytes ?? 'unlimited'}:unlimited`]);
}

const hasPrlimit = spawnSync('/usr/bin/prlimit', ['--version']).status === 0;

it.skipIf(!hasPrlimit)(
  'files that may not grow (ulimit -f, by prlimit) are a full disk: writes are refused by name, reads go on, writing resumes',
  async () => {
    await using server = await startServer();
    const { createUser, recorded, users } = clientsOf(server);
    for (let user = 0; user < 8; user += 1) await createUser(`early-${user}`);
    const [segment = ''] = await readdir(join(server.data, 'journal', 'audit'));
    const journalBytes = () => statSync(join(server.data, 'journal', 'audit', segment)).size;
    const walBytes = () => statSync(join(server.data, 'state', 'state.sqlite-wal')).size;

    // SQLite's log is the larger of the two: it is emptied, and the change that the journal has is applied.
    expect(walBytes()).toBeGreaterThan(journalBytes() + 20_000);
    limitFiles(server, walBytes());
    await createUser('applied');
    expect(walBytes()).toBeLessThan(journalBytes() + 20_000);

    limitFiles(server, journalBytes() + 100);
    await expect(createUser('refused')).rejects.toMatchObject(refusal);
    expect((await users()).size).toBe(9);
    limitFiles(server, undefined);
    await createUser('late');
    expect((await users()).size).toBe(10);
    expect(await eventually(() => recorded('ListUsers', 2))).toBe(2);
    expect(await recorded('CreateUser', 10)).toBe(10);
    expect(await server.stop()).toBe(0);
  },
);

it.skipIf(!hasPrlimit)('a start that finds no room says where it is to be made', async () => {
  const data = mkdtempSync(join(tmpdir(), 'cairn-no-room-'));
  const start = [process.execPath, ...nodeFlags, main, 'start', '--listen', '127.0.0.1:0', '--data', data];
  const { code, stderr } = await run({}, '/usr/bin/prlimit', ['--fsize=1000000', ...start]).ended;
  rmSync(data, { recursive: true });
  expect([code, stderr]).toEqual([
    1,
    expect.stringContaining(`no room on the disk of ${data}: make room, then start again`),
  ]);
  expect(stderr).not.toContain('    at ');
});
