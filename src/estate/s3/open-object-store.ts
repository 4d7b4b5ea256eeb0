import { assert, AwsFault, OverloadError, type Clock, type Logger, type Random } from '../../kernel/index.ts';
import type { Cipher } from '../../identity/index.ts';
import type { State } from '../../state/index.ts';
import type { Blob } from '../../store/index.ts';
import type { DataKeys } from '../kms/data-keys.ts';
import { openAfterCommit } from './after-commit.ts';
import { isSameBucket, readBucket, type BucketDocument } from './bucket-documents.ts';
import { blobPrefix, newContentId, newPartSuffix } from './content/blob-names.ts';
import { openContentKeeper } from './content/content-keeper.ts';
import { hashBody } from './content/hashed-body.ts';
import { openObjectKeys, encryptionOf } from './content/object-keys.ts';
import { sealStream } from './content/sealed-stream.ts';
import { openSpentBytes } from './content/spent-bytes.ts';
import { noSuchBucket, s3Fault } from './faults.ts';
import {
  contentKey,
  partKey,
  partPrefix,
  uploadKey,
  uploadPrefix,
  type ContentDocument,
  type ObjectVersion,
  type PartDocument,
  type StoredVersion,
  type UploadDocument,
} from './object-documents.ts';
import { defaultRetention } from './object-lock.ts';
import type { DeletionType, EventCause, ObjectEvents } from './object-events.ts';
import type { ObjectStore, StagedContent } from './object-store.ts';
import { orderOf, putInFront, removeCurrent, removeVersion, type ChainParts } from './version-chain.ts';

/** How often work that no call asks for is run again when it met other changes. */
const attempts = 20;
/** Parts that one change forgets at most; a change must fit one entry of the journal. */
const mostPartsForgotten = 100_000;

export interface ObjectStoreOptions {
  readonly state: State;
  readonly blob: Blob;
  readonly keys: DataKeys;
  /** Seals the data keys of objects that no key of KMS encrypts. */
  readonly cipher: Cipher;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: ObjectEvents;
}

/** Opens the store of objects. */
export function openObjectStore(options: ObjectStoreOptions): ObjectStore {
  const { state, blob, clock, random, events } = options;
  const log = options.log.child({ part: 's3' });
  const afterCommit = openAfterCommit({ state, clock, log });
  const spent = openSpentBytes();
  const keeper = openContentKeeper({ state, blob, clock, log, spent });
  const objectKeys = openObjectKeys(options);
  const staged = new WeakMap<object, { readonly done: Promise<unknown>; readonly blobs: string[] }>();

  /** Does the work of a call once, however often the call is run. */
  function once<T>(call: object, work: (blobs: string[]) => Promise<T>): Promise<T> {
    const known = staged.get(call);
    if (known) return known.done as Promise<T>;
    const blobs: string[] = [];
    const done = work(blobs);
    staged.set(call, { done, blobs });
    return done;
  }

  /** Streams a body into a blob that nobody removes before `settled` says what became of it. */
  async function keep(
    name: string,
    dataKey: Uint8Array,
    request: Pick<Parameters<ObjectStore['stage']>[0], 'body' | 'checksums' | 'mostBytes'>,
  ) {
    const hashed = hashBody(request.body, request.checksums, request.mostBytes);
    keeper.protect(name);
    try {
      await blob.put(name, sealStream(dataKey, name, hashed.stream, spent));
    } catch (error) {
      keeper.unprotect(name);
      throw error;
    }
    return hashed.facts();
  }

  function discard(content: string): void {
    afterCommit.expect(contentKey(content), 'discard', {
      happened: async () => (await state.get(contentKey(content))) === undefined,
      done: () => keeper.remove(content),
    });
  }

  const chain = (change: ChainParts['change'], bucket: BucketDocument, key: string): ChainParts => ({
    change,
    bucket,
    key,
    nowMs: clock.now(),
    random,
    discard,
  });

  function tellDeleted(
    { change, bucket, key, nowMs }: ChainParts,
    deletionType: DeletionType,
    version: StoredVersion,
    cause: EventCause,
  ): void {
    const { versionId } = version;
    const order = Math.max(nowMs, orderOf(version));
    events.tell(change, bucket, { type: 'Object Deleted', deletionType, key, versionId, order }, cause);
  }

  async function abandon(
    change: ChainParts['change'],
    bucket: string,
    upload: UploadDocument,
  ): Promise<number> {
    const parts = await change.list<PartDocument>(partPrefix(upload.id));
    change.delete(uploadKey(bucket, upload.key, upload.id));
    for (const part of parts) change.delete(part.key);
    afterCommit.expect(uploadKey(bucket, upload.key, upload.id), 'abandon', {
      happened: async () => !(await state.get(uploadKey(bucket, upload.key, upload.id))),
      async done() {
        // A completed upload is gone as well, and its content lives on.
        if (!(await state.get(contentKey(upload.id)))) await keeper.remove(upload.id);
      },
    });
    return parts.length;
  }

  const store: ObjectStore = {
    stage: (request) =>
      once(request.call, async (blobs): Promise<StagedContent> => {
        const content = newContentId(random);
        const { dataKey, encryption } = await objectKeys.create({ ...request, content });
        const name = blobPrefix(content);
        const facts = await keep(name, dataKey, request);
        blobs.push(name);
        afterCommit.expect(contentKey(content), 'stage', {
          happened: async () => (await state.get(contentKey(content))) !== undefined,
          done: () => keeper.unprotect(name),
          otherwise: () => keeper.removeBlob(name),
        });
        return { content, encryption, ...facts };
      }),
    stagePart: (request) =>
      once(request.call, async (blobs): Promise<PartDocument> => {
        const { upload, partNumber, bucket } = request;
        const dataKey = await objectKeys.open(
          bucket.name,
          upload.key,
          upload.id,
          upload.encryption,
          request.as,
        );
        const suffix = newPartSuffix(partNumber, random);
        const name = blobPrefix(upload.id) + suffix;
        const { sizeBytes, etag, checksums } = await keep(name, dataKey, request);
        blobs.push(name);
        afterCommit.expect(partKey(upload.id, partNumber), suffix, {
          happened: () => keeper.isNamed(name),
          done: () => keeper.unprotect(name),
          otherwise: () => keeper.removeBlob(name),
        });
        return { n: partNumber, s: sizeBytes, b: suffix, etag, checksums, lastModified: clock.now() };
      }),
    async unstage(call) {
      const known = staged.get(call);
      staged.delete(call);
      for (const name of known?.blobs ?? []) await keeper.removeBlob(name);
    },
    newEncryption: async (request) => (await objectKeys.create(request)).encryption,
    async link(change, bucket, key, content, facts) {
      const parts = chain(change, bucket, key);
      const {
        createdBy: reason,
        cause,
        retention = defaultRetention(bucket, parts.nowMs),
        ...others
      } = facts;
      const version = await putInFront(parts, (place, versionId): ObjectVersion => ({
        kind: 'object',
        key,
        versionId,
        place,
        lastModified: parts.nowMs,
        sizeBytes: content.sizeBytes,
        etag: content.etag,
        content: content.content,
        ...('parts' in content && { partCount: content.parts.length }),
        ...others,
        encryption: content.encryption,
        ...(retention && { retention }),
      }));
      const document: ContentDocument = 'parts' in content ? { parts: content.parts } : {};
      change.put(contentKey(content.content), document);
      events.tell(change, bucket, { type: 'Object Created', reason, version }, cause);
      return version;
    },
    async remove(change, bucket, key, { versionId, bypassGovernance = false, cause }) {
      const parts = chain(change, bucket, key);
      if (versionId === undefined) {
        const { marker, gone } = await removeCurrent(parts);
        if (marker) {
          tellDeleted(parts, 'Delete Marker Created', marker, cause);
          return { versionId: marker.versionId, deleteMarker: true };
        }
        if (gone) tellDeleted(parts, 'Permanently Deleted', gone, cause);
        return {};
      }
      const gone = await removeVersion(parts, versionId, bypassGovernance);
      if (!gone) return { versionId };
      tellDeleted(parts, 'Permanently Deleted', gone, cause);
      return { versionId, ...(gone.kind === 'marker' && { deleteMarker: true as const }) };
    },
    async abandonUpload(change, bucket, upload) {
      await abandon(change, bucket, upload);
    },
    async abandonUploads(change, bucket) {
      let forgotten = 0;
      for (const { value } of await change.list<UploadDocument>(uploadPrefix(bucket))) {
        forgotten += 1 + (await abandon(change, bucket, value));
        if (forgotten > mostPartsForgotten) {
          throw s3Fault(
            'InvalidBucketState',
            409,
            'The bucket has too many unfinished multipart uploads; abort them first.',
          );
        }
      }
    },
    suspect(content, part) {
      if (!part) discard(content);
      else {
        const name = blobPrefix(content) + part.b;
        afterCommit.expect(partKey(content, part.n), `old ${part.b}`, {
          happened: async () => !(await keeper.isNamed(name)),
          done: () => keeper.removeBlob(name),
        });
      }
    },
    async read(bucket, version, { first, last, as }) {
      const { key, content, encryption } = version;
      const dataKey = await objectKeys.open(bucket, key, content, encryption, as);
      return keeper.read({ content, sizeBytes: version.sizeBytes, dataKey, first, last });
    },
    partsOf: (version) => keeper.partsOf(version.content),
    async put({ bucket: name, key, headers = {}, metadata = {}, encryption, as, body }) {
      const bucket = await readBucket(state, name);
      if (!bucket) throw noSuchBucket(name);
      const call = {};
      const content = await store.stage({
        call,
        bucket,
        key,
        body,
        checksums: ['CRC64NVME'],
        encryption: encryption ?? encryptionOf(bucket),
        as,
        mostBytes: Infinity,
      });
      const value = content.checksums.CRC64NVME;
      assert(value !== undefined, 'the checksum that was asked for is there');
      try {
        return await store.commit(async (change) => {
          const now = await readBucket(change, name);
          if (!now || !isSameBucket(now, bucket)) throw noSuchBucket(name);
          return store.link(change, now, key, content, {
            createdBy: 'PutObject',
            cause: as.kind === 'call' ? as : { kind: 'service', principal: as.caller.service },
            headers,
            metadata,
            storageClass: 'STANDARD',
            checksum: { algorithm: 'CRC64NVME', value, type: 'FULL_OBJECT' },
          });
        });
      } catch (error) {
        // What was refused is not there; of other errors the disk may know better than we do, so the blob stays for now.
        if (error instanceof AwsFault) await store.unstage(call);
        throw error;
      }
    },
    async commit(work) {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const change = state.begin();
        const result = await work(change);
        if ((await state.commit(change, [])).kind === 'committed') return result;
      }
      throw new OverloadError(`other changes of the same objects came in between ${attempts} times`);
    },
    sweep: () => keeper.sweep(),
    async [Symbol.asyncDispose]() {
      afterCommit[Symbol.dispose]();
      await keeper[Symbol.asyncDispose]();
    },
  };
  return store;
}
