import { afterEach, beforeEach, expect, it } from 'vitest';
import { masterKeyFrom } from '../../identity/master-key.ts';
import { openJournal, type Stream } from '../../journal/index.ts';
import { manualClock, seededRandom, silentLog, type ManualClock } from '../../kernel/index.ts';
import { openMemoryState, type State } from '../../state/index.ts';
import { openMemoryCursors, openMemoryLog } from '../../store/memory/index.ts';
import { keyArn, readKey, writeKey, type KeyDocument } from './key-documents.ts';
import { openMaterials } from './key-material.ts';
import { defaultKeyPolicy } from './key-policies.ts';
import { openKeyUpkeep } from './key-upkeep.ts';

const dayMs = 86_400_000;
const startMs = Date.UTC(2026, 10, 22);
const place = { accountId: '000000000000', region: 'us-east-1', id: 'one' };

const random = seededRandom(3);
const materials = openMaterials({ cipher: masterKeyFrom(random.bytes(32), random).cipher('kms/v1'), random });

let clock: ManualClock;
let stream: Stream;
let state: State;
let parts: AsyncDisposableStack;

beforeEach(async () => {
  parts = new AsyncDisposableStack();
  clock = manualClock(startMs);
  const log = silentLog;
  const journal = parts.use(
    await openJournal({ openLog: () => openMemoryLog(), openCursors: () => openMemoryCursors(), clock, log }),
  );
  stream = journal.stream('audit');
  state = parts.use(await openMemoryState({ stream, clock, log }));
});
afterEach(() => parts[Symbol.asyncDispose]());

const open = () => openKeyUpkeep({ state, materials, clock, random, log: silentLog });

async function put(over: Partial<KeyDocument>): Promise<void> {
  const { material } = await materials.make(place, 'SYMMETRIC_DEFAULT', startMs);
  const change = state.begin();
  writeKey(change, await readKey(change, place), {
    ...place,
    createdAt: startMs,
    description: '',
    spec: 'SYMMETRIC_DEFAULT',
    usage: 'ENCRYPT_DECRYPT',
    manager: 'CUSTOMER',
    state: 'Enabled',
    policy: defaultKeyPolicy(place.accountId),
    tags: [],
    materials: [material],
    ...over,
  });
  await state.commit(change, []);
}

async function records(): Promise<readonly Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  for await (const { entries } of stream.read(stream.start)) {
    for (const { kind, payload } of entries) {
      if (kind === 'record')
        found.push(JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>);
    }
  }
  return found;
}

it('deletes a key with a record, also when its time came while nobody was there', async () => {
  await put({ state: 'PendingDeletion', deletionAt: startMs + 7 * dayMs });
  await using first = open();
  await first.settle();
  await first[Symbol.asyncDispose]();
  await clock.advance(8 * dayMs);
  expect(await readKey(state, place)).toBeDefined();
  await using second = open();
  await second.settle();
  expect(await readKey(state, place)).toBeUndefined();
  expect(await records()).toMatchObject([
    {
      eventName: 'DeleteKey',
      eventType: 'AwsServiceEvent',
      eventTime: '2026-11-30T00:00:00Z',
      recipientAccountId: place.accountId,
      resources: [{ ARN: keyArn(place), type: 'AWS::KMS::Key' }],
    },
  ]);
});

it('rotates a key each period with a record, at its time', async () => {
  await put({ rotation: { periodDays: 90, sinceMs: startMs } });
  await using upkeep = open();
  for (let day = 0; day < 200; day += 1) {
    await clock.advance(dayMs);
    await upkeep.settle();
  }
  const found = await records();
  expect(found).toMatchObject([
    {
      eventName: 'RotateKey',
      eventTime: '2027-02-20T00:00:00Z',
      serviceEventDetails: { rotationType: 'AUTOMATIC' },
    },
    { eventName: 'RotateKey', eventTime: '2027-05-21T00:00:00Z' },
  ]);
  expect((await readKey(state, place))?.materials).toHaveLength(3);
  expect(JSON.stringify(found)).not.toContain('sealed');
});
