import { AwsFault, limits, sequence, type Clock, type Sequence } from '../../kernel/index.ts';
import type { Stream } from '../../journal/index.ts';
import {
  invalidRequest,
  jsonAnswer,
  type Call,
  type HttpRoute,
  type RouteAnswer,
  type RouteRequest,
} from '../../wire/index.ts';
import type { EventFilter, EventPage, History } from '../history/index.ts';
import { unlessGone } from '../client-gone.ts';
import type { HistoryReader } from '../history-reader.ts';
import { contentTypes, download, downloadFormats, type DownloadFormat } from './event-formats.ts';
import { matcherOf } from './event-matcher.ts';
import { readBucket, readBy, readFilter, single, wholeNumber } from './event-query.ts';
import { openLanes, type Lanes } from './lanes.ts';
import { tailStream } from './tail-stream.ts';
import { openTailWindow, type TailWindow } from './tail-window.ts';

export interface SearchOptions {
  readonly history: Pick<History, 'search' | 'stream' | 'count'>;
  readonly historyReader: Pick<HistoryReader, 'onApplied' | 'reader'>;
  /** The journal's `audit` stream. */
  readonly stream: Pick<Stream, 'start' | 'read'>;
  readonly clock: Clock;
  /** The account whose principals see all accounts. */
  readonly managementAccountId: string;
}

const largestPage = 1_000;
const mostRows = 100_000;

function callOf({ call }: RouteRequest): Call {
  if (!call) throw new AwsFault('AccessDenied', 'This path needs a signed request.', { status: 403 });
  return call;
}

function formatOf(query: URLSearchParams): DownloadFormat | undefined {
  const text = single(query, 'format');
  if (text === undefined) return undefined;
  const format = downloadFormats.find((known) => known === text);
  if (format) return format;
  const message = `The parameter format takes ${downloadFormats.join(', ')}, not "${text}".`;
  throw invalidRequest(message);
}

/** A page with the records' original bytes in it. */
function pageBody({ events, next }: EventPage): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from('{"events":[')];
  events.forEach(({ raw }, index) => {
    if (index > 0) parts.push(Buffer.from(',\n'));
    parts.push(raw);
  });
  parts.push(Buffer.from(next === undefined ? ']}\n' : `],"next":${JSON.stringify(next)}}\n`));
  return Buffer.concat(parts);
}

async function searchEvents(options: SearchOptions, request: RouteRequest): Promise<RouteAnswer> {
  const { history, managementAccountId } = options;
  const { query, signal } = request;
  const filter = readFilter(query, ['limit', 'after', 'format'], callOf(request), managementAccountId);
  const format = formatOf(query);
  const after = single(query, 'after');
  if (format) {
    if (after !== undefined) {
      const message =
        'The parameter after goes with pages; a download with format begins at the newest event.';
      throw invalidRequest(message);
    }
    const limit = wholeNumber(query, 'limit', [1, Number.MAX_SAFE_INTEGER]) ?? Infinity;
    return {
      status: 200,
      headers: {
        'content-type': contentTypes[format],
        'content-disposition': `attachment; filename="events.${format}"`,
      },
      body: download(history.stream(filter, signal), format, limit),
    };
  }
  const limit = wholeNumber(query, 'limit', [1, largestPage]) ?? limits.lookupEventsPage;
  const asked = { limit, ...(after !== undefined && { after }) };
  const page = await unlessGone(signal, history.search(filter, asked, signal));
  return { status: 200, headers: { 'content-type': 'application/json' }, body: pageBody(page) };
}

async function countEvents(
  options: SearchOptions,
  lanes: Lanes,
  request: RouteRequest,
): Promise<RouteAnswer> {
  const { query, signal } = request;
  const filter = readFilter(query, ['by', 'bucket', 'limit'], callOf(request), options.managementAccountId);
  const attributes = readBy(query);
  const bucketMs = readBucket(query);
  const limit = wholeNumber(query, 'limit', [1, mostRows]) ?? 100;
  const by = { attributes, ...(bucketMs !== undefined && { bucketMs }), limit };
  using _ = await unlessGone(signal, lanes.take(signal));
  const rows = await unlessGone(signal, options.history.count(filter, by, signal));
  const shown = rows.map(({ values, bucket, count }) => ({
    values,
    ...(bucket !== undefined && { bucket: new Date(bucket).toISOString() }),
    count,
  }));
  const names = attributes.map((key) => (typeof key === 'string' ? key : key.path.join('.')));
  return jsonAnswer({ by: names, rows: shown });
}

/** Where a listener begins: behind the event that it saw last, else at the end. */
function tailStart({ headers }: RouteRequest, end: Sequence): Sequence {
  const text = headers['last-event-id'];
  if (text === undefined || text === '') return end;
  if (!/^\d{1,15}$/.test(text)) {
    const message = `Last-Event-ID takes the id of an event of this tail, not "${text}".`;
    throw invalidRequest(message);
  }
  return sequence(Number(text) + 1);
}

async function* counted(events: AsyncIterable<Uint8Array>, end: () => void): AsyncIterable<Uint8Array> {
  try {
    yield* events;
  } finally {
    end();
  }
}

/**
 * The searches beyond LookupEvents: `GET /_cairn/events` (pages of JSON, or a download with `format`),
 * `GET /_cairn/events/count` and `GET /_cairn/events/tail` (server-sent events). See `readFilter` for the parameters
 * that they share and for whose events a caller sees.
 */
export function searchRoutes(options: SearchOptions): readonly HttpRoute[] {
  const { historyReader, stream, clock, managementAccountId } = options;
  const window: TailWindow = openTailWindow(historyReader.reader.applied);
  const counting = openLanes(limits.countsAtOnce);
  let listeners = 0;
  historyReader.onApplied((entries) => window.push(entries, listeners > 0));
  const tailEvents = async (request: RouteRequest): Promise<RouteAnswer> => {
    const filter: EventFilter = readFilter(request.query, [], callOf(request), managementAccountId);
    const from = tailStart(request, window.end);
    if (listeners >= limits.tailListeners) {
      const message = `${limits.tailListeners} listeners follow the events already. Try again later.`;
      throw new AwsFault('ServiceUnavailable', message, { status: 503 });
    }
    listeners++;
    const { signal } = request;
    let ended = false;
    const end = () => {
      if (!ended) listeners--;
      ended = true;
    };
    // An answer that nobody begins to read never reaches the end of its generator.
    signal.addEventListener('abort', end, { once: true });
    const events = tailStream({ stream, window, clock, matches: matcherOf(filter), from, signal });
    return {
      status: 200,
      headers: {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      },
      body: counted(events, end),
    };
  };
  return [
    {
      method: 'GET',
      path: '/_cairn/events',
      operationName: 'SearchEvents',
      access: 'read',
      handle: (request) => searchEvents(options, request),
    },
    {
      method: 'GET',
      path: '/_cairn/events/count',
      operationName: 'CountEvents',
      access: 'read',
      handle: (request) => countEvents(options, counting, request),
    },
    {
      method: 'GET',
      path: '/_cairn/events/tail',
      operationName: 'TailEvents',
      access: 'read',
      handle: tailEvents,
    },
  ];
}
