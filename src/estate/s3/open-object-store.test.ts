import { describe, expect, it } from 'vitest';
import { masterKeyFrom } from '../../identity/master-key.ts';
import { seededRandom, silentLog } from '../../kernel/index.ts';
import type { Blob } from '../../store/index.ts';
import { openMemoryBlob } from '../../store/memory/index.ts';
import { openKmsFixture } from '../../../test/kms-fixture.ts';
import { bucketKey, type BucketDocument } from './bucket-documents.ts';
import {
  contentKey,
  objectKey,
  partKey,
  type ObjectVersion,
  type UploadDocument,
} from './object-documents.ts';
import { openObjectEvents } from './object-events.ts';
import { openObjectStore, type ObjectStoreOptions } from './open-object-store.ts';

const bucket: BucketDocument = {
  name: 'b',
  accountId: '000000000000',
  region: 'eu-central-1',
  createdAt: 0,
  ownership: 'BucketOwnerEnforced',
  encryption: { algorithm: 'AES256', bucketKeyEnabled: false },
};
const cause = { kind: 'service', principal: 'cloudtrail.amazonaws.com' } as const;
const facts = {
  createdBy: 'PutObject',
  cause,
  headers: {},
  metadata: {},
  storageClass: 'STANDARD',
} as const;

async function* bytes(...parts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

async function* breaking(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('half');
  throw new Error('the client went away');
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function blobsOf(blob: Blob): Promise<number> {
  let count = 0;
  for await (const _ of blob.list('')) count += 1;
  return count;
}

/** Lets what follows a commit, which nobody waits for, come to its end. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

async function open(over: Partial<ObjectStoreOptions> = {}) {
  const kms = await openKmsFixture();
  const { state, clock } = kms.identity;
  const random = seededRandom(7);
  const blob = await openMemoryBlob();
  const cipher = masterKeyFrom(random.bytes(32), random).cipher('s3/v1');
  const events = openObjectEvents({ clock, random });
  const options = {
    state,
    blob,
    keys: kms.kms.dataKeys,
    cipher,
    clock,
    random,
    events,
    log: silentLog,
    ...over,
  };
  const store = openObjectStore(options);
  const as = { kind: 'call' as const, call: await kms.callOf(), via: 's3.eu-central-1.amazonaws.com' };
  await store.commit(async (change) => change.put(bucketKey('b'), bucket));
  const stage = (body: AsyncIterable<Uint8Array>, call: object = {}) =>
    store.stage({
      call,
      bucket,
      key: 'k',
      body,
      checksums: [],
      encryption: { algorithm: 'AES256' },
      as,
      mostBytes: 1000,
    });
  const put = async (text: string): Promise<ObjectVersion> => {
    const staged = await stage(bytes(text));
    const version = await store.commit((change) => store.link(change, bucket, 'k', staged, facts));
    await settled();
    return version;
  };
  const read = (version: ObjectVersion) =>
    store.read('b', version, { first: 0, last: version.sizeBytes - 1, as });
  return {
    state,
    clock,
    blob,
    store,
    as,
    options,
    stage,
    put,
    read,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await kms[Symbol.asyncDispose]();
    },
  };
}

describe('the store of objects', () => {
  it('keeps what was put, sealed, and lets go of what it replaces', async () => {
    await using s3 = await open();
    const first = await s3.put('hello world');
    expect(first).toMatchObject({
      sizeBytes: 11,
      etag: '5eb63bbbe01eeed093cb22bb8f5acdc3',
      versionId: 'null',
    });
    expect(await collect(await s3.read(first))).toBe('hello world');
    for await (const { key } of s3.blob.list('')) {
      expect(await collect((await s3.blob.get(key)) ?? bytes())).not.toContain('hello');
    }
    const second = await s3.put('again');
    expect(await collect(await s3.read(second))).toBe('again');
    expect(await blobsOf(s3.blob)).toBe(1);
    await s3.store.commit((change) => s3.store.remove(change, bucket, 'k', { cause }));
    await settled();
    expect(await blobsOf(s3.blob)).toBe(0);
  });

  it('a body that breaks, or is too large, leaves nothing behind', async () => {
    await using s3 = await open();
    await expect(s3.stage(breaking())).rejects.toThrow('the client went away');
    await expect(s3.stage(bytes('x'.repeat(1001)))).rejects.toMatchObject({ code: 'EntityTooLarge' });
    expect(await blobsOf(s3.blob)).toBe(0);
  });

  it('streams a body once, however often the call is run', async () => {
    await using s3 = await open();
    const call = {};
    const first = await s3.stage(bytes('once'), call);
    expect(await s3.stage(breaking(), call)).toBe(first);
    expect(await blobsOf(s3.blob)).toBe(1);
    await s3.store.unstage(call);
    expect(await blobsOf(s3.blob)).toBe(0);
  });

  it('a reader goes on with the old bytes while the object is replaced and deleted', async () => {
    await using s3 = await open();
    const old = await s3.put('old bytes');
    const [begun, late, given] = [await s3.read(old), await s3.read(old), await s3.read(old)];
    await s3.put('new');
    await s3.store.commit((change) => s3.store.remove(change, bucket, 'k', { cause }));
    await settled();
    expect(await blobsOf(s3.blob)).toBe(1);
    expect(await collect(begun)).toBe('old bytes');
    expect(await collect(late)).toBe('old bytes');
    await settled();
    expect(await blobsOf(s3.blob)).toBe(1);
    // An answer that nobody begins to read does not keep the bytes for good.
    await s3.clock.advance(120_000);
    await settled();
    expect(await blobsOf(s3.blob)).toBe(0);
    await expect(collect(given)).rejects.toThrow('are gone');
  });

  it('a crash between the bytes and the commit leaves the old object, and a start removes the bytes', async () => {
    await using s3 = await open();
    const old = await s3.put('old');
    await s3.stage(bytes('never committed'));
    expect(await blobsOf(s3.blob)).toBe(2);
    // What was staged in this process may still be committed.
    expect(await s3.store.sweep()).toEqual({ removed: 0 });
    await using next = openObjectStore(s3.options);
    await s3.clock.advance(1000);
    await settled();
    expect(await blobsOf(s3.blob)).toBe(1);
    expect(await collect(await next.read('b', old, { first: 0, last: 2, as: s3.as }))).toBe('old');
  });

  it('bytes whose call never committed are removed in the end, those of one that did are not', async () => {
    await using s3 = await open();
    await s3.stage(bytes('lost'));
    const kept = await s3.put('kept');
    await s3.clock.advance(16 * 60_000);
    await settled();
    expect(await blobsOf(s3.blob)).toBe(1);
    expect(await collect(await s3.read(kept))).toBe('kept');
  });

  it('of two puts at once one comes after the other, and no bytes stay over', async () => {
    await using s3 = await open();
    const staged = await Promise.all(['one', 'two', 'three', 'four'].map((text) => s3.stage(bytes(text))));
    const versions = await Promise.all(
      staged.map((one) => s3.store.commit((change) => s3.store.link(change, bucket, 'k', one, facts))),
    );
    await settled();
    const current = (await s3.state.get<ObjectVersion>(objectKey('b', 'k')))?.value;
    expect(versions.map(({ place }) => place)).toContain(current?.place);
    expect(await blobsOf(s3.blob)).toBe(1);
    expect((await s3.state.list(contentKey(''))).length).toBe(1);
    expect(['one', 'two', 'three', 'four']).toContain(await collect(await s3.read(current!)));
  });

  it('parts of an upload: the one that was replaced goes, and all go with the upload', async () => {
    await using s3 = await open();
    const id = `m${'0'.repeat(32)}`;
    const wish = { algorithm: 'AES256' as const };
    const encryption = await s3.store.newEncryption({
      bucket,
      key: 'k',
      content: id,
      encryption: wish,
      as: s3.as,
    });
    const upload = { id, key: 'k', encryption } as UploadDocument;
    await s3.store.commit(async (change) => change.put(`s3/upload/b/k\u0001\u0001${id}`, upload));
    const putPart = async (partNumber: number, text: string) => {
      const request = { call: {}, bucket, upload, partNumber, body: bytes(text), checksums: [], as: s3.as };
      const part = await s3.store.stagePart({ ...request, mostBytes: 100 });
      await s3.store.commit(async (change) => {
        const before = await change.get<typeof part>(partKey(id, partNumber));
        if (before) s3.store.suspect(id, before.value);
        change.put(partKey(id, partNumber), part);
      });
      await settled();
      return part;
    };
    await putPart(1, 'first');
    await putPart(1, 'first again');
    await putPart(2, 'second');
    expect(await blobsOf(s3.blob)).toBe(2);
    expect(await s3.store.sweep()).toEqual({ removed: 0 });
    await s3.store.commit((change) => s3.store.abandonUploads(change, 'b'));
    await settled();
    expect(await blobsOf(s3.blob)).toBe(0);
    expect(await s3.state.list('s3/part/')).toEqual([]);
  });

  it('puts for a service, and not into a bucket that is gone', async () => {
    await using s3 = await open();
    const version = await s3.store.put({ bucket: 'b', key: 'log', body: bytes('a', 'b'), as: s3.as });
    expect(await collect(await s3.read(version))).toBe('ab');
    expect(version.checksum).toMatchObject({ algorithm: 'CRC64NVME', type: 'FULL_OBJECT' });
    const gone = s3.store.put({ bucket: 'other', key: 'log', body: bytes('a'), as: s3.as });
    await expect(gone).rejects.toMatchObject({ code: 'NoSuchBucket' });
  });
});
