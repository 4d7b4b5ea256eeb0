import { openAuthorisation, type AuthoriseService } from '../src/identity/index.ts';
import { masterKeyFrom } from '../src/identity/master-key.ts';
import { region, seededRandom, silentLog, type ManualClock } from '../src/kernel/index.ts';
import type { State } from '../src/state/index.ts';
import { openMemoryBlob } from '../src/store/memory/index.ts';
import * as controlTags from '../src/estate/s3/control-tags.ts';
import { readBucket } from '../src/estate/s3/bucket-documents.ts';
import { openObjectEvents } from '../src/estate/s3/object-events.ts';
import type { ObjectTag, Retention } from '../src/estate/s3/object-documents.ts';
import type { ObjectStore } from '../src/estate/s3/object-store.ts';
import { openObjectStore } from '../src/estate/s3/open-object-store.ts';
import { bindOperations } from '../src/estate/s3/operation.ts';
import { operations } from '../src/estate/s3/operations.ts';
import type { Call } from '../src/wire/service.ts';
import { openKmsFixture, type KmsFixture } from './kms-fixture.ts';
import type { Caller, IdentityFixture } from './identity-fixture.ts';

/** Buckets over real identities, keys and objects in memory: calls are authorised, run and committed as the pipeline does. */

type Answer = any; // oxlint-disable-line typescript/no-explicit-any -- answers of all operations stand side by side

export interface BucketFixture extends AsyncDisposable {
  readonly identity: IdentityFixture;
  readonly kms: KmsFixture;
  readonly state: State;
  readonly clock: ManualClock;
  readonly objects: ObjectStore;
  readonly authoriseService: AuthoriseService;
  /** Calls an operation on buckets, in eu-central-1 and as the management account's root unless told otherwise. */
  call(operation: string, input?: unknown, caller?: Caller, over?: Partial<Call>): Promise<Answer>;
  /** Makes a bucket; its name. */
  bucket(name: string, over?: Readonly<Record<string, unknown>>, caller?: Caller): Promise<string>;
  /** Puts an object, without asking who may; its version id. */
  put(bucket: string, key: string, over?: ObjectOver): Promise<string>;
  /** The keys of the current objects. */
  keys(bucket: string): Promise<readonly string[]>;
  /** Version ids of a key's older versions and markers, with an `m` in front of markers. */
  versions(bucket: string): Promise<readonly string[]>;
}

export interface ObjectOver {
  readonly body?: string;
  readonly tags?: readonly ObjectTag[];
  readonly retention?: Retention;
  readonly legalHold?: boolean;
}

async function* once(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

export async function openBucketFixture(seed = 1): Promise<BucketFixture> {
  await using opening = new AsyncDisposableStack();
  const kms = opening.use(await openKmsFixture(seed));
  const { identity } = kms;
  const { state, clock } = identity;
  const random = seededRandom(seed + 2000);
  const authorisation = opening.use(openAuthorisation({ state }));
  const cipher = masterKeyFrom(random.bytes(32), random).cipher('s3/v1');
  const blob = opening.use(await openMemoryBlob());
  const keys = kms.kms.dataKeys;
  const events = openObjectEvents({ clock, random });
  const objects = opening.use(
    openObjectStore({ state, blob, keys, cipher, events, clock, random, log: silentLog }),
  );
  const bound = bindOperations(
    { state, objects, events, keys, clock, random, authorise: authorisation.authorise },
    { ...operations, ...controlTags },
  );
  const opened = opening.move();

  const fixture: BucketFixture = {
    identity,
    kms,
    state,
    clock,
    objects,
    authoriseService: authorisation.authoriseService,
    async call(name, input = {}, caller, over = {}) {
      const operation = bound[name];
      if (!operation) throw new Error(`there is no operation ${name}`);
      const call = { ...(await kms.callOf(caller)), ...over };
      await authorisation.authorise(call, (await operation.needs?.(input, call)) ?? []);
      for (;;) {
        const change = state.begin();
        const answer: Answer = await operation.handle(input, call, change);
        if ((await state.commit(change, [])).kind === 'committed') return answer;
      }
    },
    async bucket(name, over = {}, caller) {
      const CreateBucketConfiguration = { LocationConstraint: 'eu-central-1' };
      await fixture.call('CreateBucket', { Bucket: name, CreateBucketConfiguration, ...over }, caller);
      return name;
    },
    async put(name, key, { body = 'body', tags, retention, legalHold } = {}) {
      const bucket = await readBucket(state, name);
      if (!bucket) throw new Error(`there is no bucket ${name}`);
      const call = await kms.callOf();
      const content = await objects.stage({
        call: {},
        bucket,
        key,
        body: once(body),
        checksums: [],
        encryption: { algorithm: 'AES256' },
        as: { kind: 'call', call, via: 's3.eu-central-1.amazonaws.com' },
        mostBytes: 1_000_000,
      });
      const version = await objects.commit(async (change) => {
        const now = await readBucket(change, name);
        if (!now) throw new Error(`the bucket ${name} is gone`);
        return objects.link(change, now, key, content, {
          createdBy: 'PutObject',
          cause: { kind: 'call', call },
          headers: {},
          metadata: {},
          storageClass: 'STANDARD',
          ...(tags && { tags }),
          ...(retention && { retention }),
          ...(legalHold && { legalHold }),
        });
      });
      return version.versionId;
    },
    async keys(bucket) {
      const documents = await state.list<{ key: string }>(`s3/object/${bucket}/`);
      return documents.map(({ value }) => value.key);
    },
    async versions(bucket) {
      const documents = await state.list<{ kind: string; versionId: string }>(`s3/version/${bucket}/`);
      return documents.map(({ value }) => `${value.kind === 'marker' ? 'm' : ''}${value.versionId}`);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
  return fixture;
}

export const usEast = { region: region('us-east-1') };
