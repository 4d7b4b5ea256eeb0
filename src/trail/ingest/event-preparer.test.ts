import { hash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callBy, managementAccount, rootOf, startMs } from '../../../test/trail-fixture.ts';
import { AwsFault, manualClock, OverloadError, sha256Bytes, silentLog } from '../../kernel/index.ts';
import { openServices, type Undecoded } from '../../wire/index.ts';
import { decodeValid, route } from '../../wire/protocol/index.ts';
import { scanEntry, scanRecord } from '../history/index.ts';
import { openWorkerPool } from '../worker-pool.ts';
import { openEventPreparer, type EventPreparer, type PreparePool } from './event-preparer.ts';
import { defaultChannelArn, type PutAuditEventsInput } from './prepare-input.ts';
import { answerOf, entriesOf } from './prepared-events.ts';

const channelArn = defaultChannelArn(managementAccount, 'eu-central-1');
const services = openServices();
const call = callBy(rootOf(managementAccount));
const options = { clock: manualClock(startMs), log: silentLog, threads: 2, idleMs: 60_000 };
const preparers: EventPreparer[] = [];
afterAll(() => Promise.all(preparers.map((one) => one[Symbol.asyncDispose]())));

function opened(threadBytes: number, pool?: PreparePool): EventPreparer {
  const preparer = openEventPreparer({ ...options, threadBytes }, pool);
  preparers.push(preparer);
  return preparer;
}

/** A preparer all of whose work is done in threads that have started. */
async function openThreaded(pool?: PreparePool): Promise<EventPreparer> {
  const preparer = opened(0, pool);
  for (let inThread = false; !inThread; await nextTurn()) {
    const request = await undecoded(new Uint8Array(bodyOf([event('first', {})])));
    await preparer.prepare(request, call);
    inThread = request.encoded.body.length === 0;
  }
  return preparer;
}

/** A request as the pipeline hands it over. */
async function undecoded(body: Uint8Array, query: Record<string, string> = {}): Promise<Undecoded> {
  const request = {
    method: 'POST',
    path: '/PutAuditEvents',
    query: new URLSearchParams({ channelArn, ...query }).toString(),
    headers: { 'content-type': 'application/json' },
    host: '127.0.0.1',
  };
  const signingName = 'cloudtrail-data';
  const routed = await route(services, request, signingName, () => Promise.resolve(body));
  return {
    encoded: { signingName, request, body },
    decode: () => decodeValid(routed, request, body),
    claim: () => undefined,
  };
}

/** What matters of an input: the records are looked at one by one, because there may be anything between them. */
function shown({ events, ...head }: PutAuditEventsInput) {
  const { bytes: _bytes, spans: _spans, scans: _scans, ...rest } = events;
  const records = entriesOf(events).map(({ kind, payload, inPlace, note }) => {
    expect(scanEntry({ note, payload })).toEqual(scanRecord(payload));
    const digest = Buffer.from(payload.buffer, payload.byteOffset - sha256Bytes, sha256Bytes);
    expect([inPlace, digest.toString('hex')]).toEqual([true, hash('sha256', payload, 'hex')]);
    return { kind, text: Buffer.from(payload).toString('latin1') };
  });
  return { ...head, answer: { ...rest, ...answerOf(events) }, records };
}

type Outcome =
  | { readonly input: ReturnType<typeof shown> }
  | { readonly code: string; readonly message: string; readonly status: number | undefined };

async function outcomeOf(
  preparer: EventPreparer,
  body: Uint8Array,
  query?: Record<string, string>,
): Promise<Outcome> {
  try {
    // The body may be moved, so that each way gets its own.
    return { input: shown(await preparer.prepare(await undecoded(new Uint8Array(body), query), call)) };
  } catch (error) {
    if (!(error instanceof AwsFault)) throw error;
    const { code, message, status } = error;
    return { code, message, status };
  }
}

function dataOf(over: object): string {
  return JSON.stringify({
    version: '1.0',
    userIdentity: { type: 'app', principalId: 'grace', details: { team: 'blue' } },
    eventSource: 'shop.example',
    eventName: 'Refund',
    eventTime: '2026-11-22T09:59:58Z',
    UID: 'uid-1',
    recipientAccountId: managementAccount,
    ...over,
  });
}

function event(id: string, over: object) {
  return { id, eventData: dataOf(over) };
}

function bodyOf(auditEvents: unknown): Uint8Array {
  return Buffer.from(JSON.stringify({ auditEvents }));
}

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

/** `eventData` as somebody sends it who means well, or not. */
const eventData = fc.oneof(
  { weight: 4, arbitrary: fc.constant(dataOf({})) },
  {
    weight: 4,
    arbitrary: fc
      .record(
        {
          eventName: fc.oneof(fc.string({ unit: 'binary' }), fc.constant('x'.repeat(1025))),
          eventTime: fc.constantFrom('2026-11-22T09:59:58', '2026-02-30T00:00:00Z', 'yesterday', 7),
          sourceIPAddress: fc.constantFrom('192.0.2.1', '2001:db8::1', '1.2.3', null),
          errorCode: fc.oneof(fc.string(), fc.jsonValue()),
          userIdentity: fc.oneof(fc.jsonValue(), fc.constant({ type: 'x', principalId: 'ÿ\u0000"\\' })),
          requestParameters: fc.oneof(fc.jsonValue(), fc.constant({ x: 'ü'.repeat(60_000) })),
          recipientAccountId: fc.constantFrom(managementAccount, '111111111111', 0),
          UID: fc.string({ unit: 'binary' }),
        },
        { requiredKeys: [] },
      )
      .map(dataOf),
  },
  fc.constantFrom(
    '',
    '[]',
    'null',
    'not json',
    dataOf({}).replace('Refund', '\\ud800'),
    `{"eventName":"first",${dataOf({}).slice(1)}`,
    dataOf({}).replace('"1.0"', '1e999'),
    dataOf({ x: 1 }).replace(':1}', `:${'9'.repeat(400)}}`),
    dataOf({ x: 1 }).replace(':1}', `:${nested(20_000)}}`),
    dataOf({ requestParameters: 1 }).replace(':1}', `:{"x":${nested(40_000)}}}`),
    dataOf({ requestParameters: 1 }).replace(':1}', `:{"x":${nested(60_000)}}}`),
    dataOf({ more: 'x'.repeat(256 * 1024) }),
    dataOf({ __proto__: null, constructor: 1 }),
  ),
);

const auditEvent = eventData.chain((data) =>
  fc.record(
    {
      id: fc.oneof(
        { weight: 7, arbitrary: fc.uuid() },
        { weight: 2, arbitrary: fc.constant('same') },
        fc.constantFrom('', 'ü', 'x'.repeat(129), 5),
      ),
      eventData: fc.oneof({ weight: 19, arbitrary: fc.constant(data) }, fc.jsonValue()),
      eventDataChecksum: fc.constantFrom(hash('sha256', data, 'base64'), 'wrong', null, 1),
      unknown: fc.jsonValue(),
    },
    { requiredKeys: ['id', 'eventData'] },
  ),
);

/** A body of which some bytes were changed, or its end is missing. */
function damaged(body: Uint8Array, at: number, byte: number, cut: boolean): Uint8Array {
  const changed = new Uint8Array(body);
  changed[at % changed.length] = byte;
  return cut ? changed.subarray(0, at % changed.length) : changed;
}

const body = fc.oneof(
  { weight: 6, arbitrary: fc.array(auditEvent, { maxLength: 6 }).map(bodyOf) },
  fc
    .array(auditEvent, { minLength: 1, maxLength: 3 })
    .map(bodyOf)
    .chain((whole) =>
      fc
        .tuple(fc.nat(), fc.constantFrom(0x00, 0x22, 0x5c, 0x7d, 0x80, 0xc0, 0xff), fc.boolean())
        .map(([at, byte, cut]) => damaged(whole, at, byte, cut)),
    ),
  fc.constantFrom(
    new Uint8Array(),
    Buffer.from('{}'),
    Buffer.from('[]'),
    Buffer.from('{"auditEvents":null}'),
    Buffer.from('{"auditEvents":[null]}'),
    Buffer.from('{"auditEvents":{"id":1}}'),
    Buffer.from(`{"auditEvents":${nested(200)}}`),
    Buffer.from(`{"x":"${'x'.repeat(40_000)}","auditEvents":${nested(101)}}`),
    Buffer.from('{"auditEvents":[{"id":"a","eventData":"\\ud83d"}]}'),
    Buffer.from(`{"auditEvents":1,"auditEvents":[${JSON.stringify(event('dup', {}))}]}`),
    bodyOf(Array.from({ length: 101 }, (_, index) => event(`${index}`, {}))),
    bodyOf([event('a', {}), event('a', {})]),
    bodyOf([1, 2, 3, 4, 5].map((id) => event(`${id}`, { more: 'x'.repeat(250_000) }))),
  ),
);

const query = fc.record(
  {
    channelArn: fc.constantFrom(
      channelArn,
      channelArn.slice(-36),
      'mine',
      'arn:ü"\\',
      'x'.repeat(20_000),
      '',
    ),
    externalId: fc.constantFrom('partner', 'x', '<>'),
  },
  { requiredKeys: [] },
);

describe('events that are prepared in a thread', () => {
  let here: EventPreparer;
  let inThread: EventPreparer;
  beforeAll(async () => {
    here = opened(Infinity);
    inThread = await openThreaded();
  });

  it('are what they are when they are prepared where the server serves, whatever is sent', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(body, query, async (bytes, named) => {
        const wanted = await outcomeOf(here, bytes, named);
        expect(await outcomeOf(inThread, bytes, named)).toEqual(wanted);
        seen.add('code' in wanted ? wanted.code : (wanted.input.answer.refusal?.code ?? 'prepared'));
        if ('input' in wanted) for (const { errorCode } of wanted.input.answer.failed) seen.add(errorCode);
      }),
      { numRuns: 300, seed: 20_261_129 },
    );
    // What was compared must have been worth it.
    const wanted = ['prepared', 'SerializationException', 'ValidationException', 'DuplicatedAuditEventId'];
    const each = ['InvalidChecksum', 'InvalidData', 'FieldNotFound', 'FieldTooLong', 'InvalidRecipient'];
    expect([...wanted, ...each].filter((code) => !seen.has(code))).toEqual([]);
  });

  it('come with their bodies moved, not copied, and leave memory alone that others share', async () => {
    const own = await undecoded(new Uint8Array(bodyOf([event('a', {})])));
    await inThread.prepare(own, call);
    expect(own.encoded.body).toHaveLength(0);
    const shared = new Uint8Array([...bodyOf([event('a', {})]), 1, 2, 3]);
    const part = await undecoded(shared.subarray(0, -3));
    const input = await inThread.prepare(part, call);
    expect(input.events.ids).toEqual(['a']);
    expect([...shared.subarray(-3)]).toEqual([1, 2, 3]);
  });

  it('claim memory for their records, and are not begun without', async () => {
    const request = await undecoded(new Uint8Array(bodyOf([event('a', {})])));
    const { length } = request.encoded.body;
    let claimed = 0;
    const claim = (bytes: number) => {
      claimed = bytes;
      throw new OverloadError('no room');
    };
    await expect(inThread.prepare({ ...request, claim }, call)).rejects.toThrow(OverloadError);
    expect(claimed).toBeGreaterThan(length);
    expect(request.encoded.body).toHaveLength(length);
  });
});

const threadsFile = new URL('../../kernel/threads.ts', import.meta.url).href;

/** A pool whose threads do what `onMessage` says. */
function poolOf(onMessage: string, idleMs = 60_000): PreparePool {
  const code = `import { parentPort as port } from 'node:worker_threads';
    import { serveMessages } from ${JSON.stringify(threadsFile)};
    serveMessages(port, (job) => { ${onMessage} });
    port.postMessage('ready');`;
  const file = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
  return openWorkerPool({
    clock: options.clock,
    file,
    workerData: undefined,
    threads: 1,
    heapMiB: 16,
    idleMs,
  });
}

const refused = { kind: 'refused', code: 'Done', message: 'done', status: 400 };
const done = `port.postMessage(${JSON.stringify(refused)})`;

/** Sends requests until a thread has started. */
async function untilInThread(preparer: EventPreparer): Promise<Outcome> {
  for (;;) {
    const outcome = await outcomeOf(preparer, bodyOf([event('a', {})]));
    if ('code' in outcome) return outcome;
    await nextTurn();
  }
}

describe('a thread that ends over a request', () => {
  it.each([
    ['by itself', 'process.exit(3)'],
    ['by a mistake', 'throw new Error("mistake")'],
  ])('%s has it refused as what may be tried again', async (_, onMessage) => {
    expect(await untilInThread(opened(0, poolOf(onMessage)))).toEqual({
      code: 'ServiceUnavailable',
      message: expect.stringMatching(/none of its events was taken/) as string,
      status: 503,
    });
  });

  it('takes no other request with it', async () => {
    const once = `if (job.encoded.request.query.includes('deadly')) process.exit(3); else ${done};`;
    const preparer = opened(0, poolOf(once));
    await untilInThread(preparer);
    const outcomes = await Promise.all(
      ['a', 'deadly', 'b', 'c'].map((externalId) =>
        outcomeOf(preparer, bodyOf([event('a', {})]), { externalId }),
      ),
    );
    const codes = outcomes.map((outcome) => ('code' in outcome ? outcome.code : 'prepared'));
    expect(codes).toEqual(['Done', 'ServiceUnavailable', 'Done', 'Done']);
  });
});

describe('a preparer', () => {
  it('refuses what is under way when it is closed, and does the rest itself', async () => {
    const preparer = opened(0, poolOf(`if (!job.encoded.request.query.includes('slow')) ${done};`));
    await untilInThread(preparer);
    const slow = ['slow-1', 'slow-2'].map((externalId) =>
      outcomeOf(preparer, bodyOf([event('a', {})]), { externalId }),
    );
    // Both are with the pool once the promises before theirs have run.
    await undecoded(bodyOf([])).then(() => undecoded(bodyOf([])));
    await preparer[Symbol.asyncDispose]();
    const unavailable = { code: 'ServiceUnavailable', status: 503 };
    expect(await Promise.all(slow)).toMatchObject([unavailable, unavailable]);
    expect(await outcomeOf(preparer, bodyOf([event('a', {})]))).toMatchObject({
      input: { answer: { successful: [{ id: 'a' }] } },
    });
  });

  it('lets threads go that have nothing to do', async () => {
    const pool = poolOf(done, 1_000);
    await untilInThread(opened(0, pool));
    expect(pool.ready()).toBe(true);
    await options.clock.advance(1_000);
    expect(pool.ready()).toBe(false);
  });
});
