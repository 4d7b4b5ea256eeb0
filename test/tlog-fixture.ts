import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hash } from 'node:crypto';
import { openLog, seededRandom, silentLog, systemClock, type Logger } from '../src/kernel/index.ts';
import { openHashArchive, openJournal, type EntryKind } from '../src/journal/index.ts';
import { openMemoryState } from '../src/state/index.ts';
import { openMemoryCursors, openMemoryLog } from '../src/store/memory/index.ts';
import type { Call, RouteAnswer } from '../src/wire/index.ts';
import { openProofs, type Proofs, type ProofsOptions } from '../src/trail/proofs/open-proofs.ts';

/** Parts for tests of the log: a real journal in memory, which outlives whoever closes it, and a real directory. */
export function lasting<T extends AsyncDisposable>(part: T): T {
  return new Proxy(part, {
    get: (target, name) =>
      name === Symbol.asyncDispose ? () => Promise.resolve() : Reflect.get(target, name),
  });
}

/** A log that keeps its lines. */
export function keptLog(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  return { lines, log: openLog('info', { write: (line: string) => void lines.push(line) }) };
}

export const record = (text: string) => Buffer.from(`{"eventID":"${text}"}`);
export const sha256 = (bytes: Uint8Array) => hash('sha256', bytes, 'buffer');

/** A cipher that hides nothing. */
const cipher: ProofsOptions['cipher'] = {
  seal: (plain, context) => Buffer.concat([Buffer.from(`${context}:`), plain]),
  open: (sealed, context) => Buffer.from(sealed.subarray(context.length + 1)),
};

export async function openHome() {
  const directory = mkdtempSync(join(tmpdir(), 'cairn-tlog-'));
  const [entries, pages] = [lasting(await openMemoryLog()), lasting(await openMemoryLog())];
  const cursors = lasting(await openMemoryCursors());
  const shared = { clock: systemClock, log: silentLog };
  // On a journal of its own, so that the tests may take the other one apart.
  const journal = await openJournal({
    openLog: () => openMemoryLog(),
    openCursors: () => openMemoryCursors(),
    ...shared,
  });
  const state = await openMemoryState({ stream: journal.stream('audit'), ...shared });
  return {
    directory,
    entries,
    pages,
    cursors,
    state,
    async [Symbol.asyncDispose]() {
      await state[Symbol.asyncDispose]();
      await journal[Symbol.asyncDispose]();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
export type Home = Awaited<ReturnType<typeof openHome>>;

export interface TestLog extends AsyncDisposable {
  readonly proofs: Proofs;
  readonly stream: ProofsOptions['stream'];
  append(...entries: readonly (readonly [EntryKind, Uint8Array])[]): Promise<void>;
  get(path: string, query?: string): Promise<RouteAnswer>;
  text(path: string): Promise<string>;
  bytes(path: string): Promise<Buffer>;
}

/** Opens the log over a home, as a start of the server does. */
export async function openTestLog(home: Home, over: Partial<ProofsOptions> = {}): Promise<TestLog> {
  const { log } = keptLog();
  const shared = { clock: systemClock, log: over.log ?? log };
  await using opening = new AsyncDisposableStack();
  const journal = opening.use(
    await openJournal({
      openLog: () => Promise.resolve(home.entries),
      openCursors: () => Promise.resolve(home.cursors),
      ...shared,
    }),
  );
  const stream = journal.stream('audit');
  const hashes = opening.use(await openHashArchive({ stream, pages: home.pages, ...shared }));
  const proofs = opening.use(
    await openProofs({
      directory: home.directory,
      stream,
      hashes,
      state: home.state,
      cipher,
      accountId: '000000000000',
      logOrigin: 'example.com/log',
      witnesses: undefined,
      random: seededRandom(1),
      ...shared,
      ...over,
    }),
  );
  const opened = opening.move();
  const get = async (path: string, query = '') => {
    const route =
      proofs.routes.find((one) => one.path === path) ?? proofs.routes.find((one) => one.path.endsWith('/*'));
    if (!route) throw new Error(`no route for ${path}`);
    const call = { accountId: '000000000000' } as Call;
    const signal = new AbortController().signal;
    const asked = {
      path,
      query: new URLSearchParams(query),
      headers: {},
      body: (async function* () {})(),
      call,
      signal,
    };
    return route.handle(asked, undefined);
  };
  const bytes = async (path: string) => Buffer.from((await get(`/_cairn/tlog/${path}`)).body as Uint8Array);
  return {
    proofs,
    stream,
    async append(...given) {
      await stream.append(given.map(([kind, payload]) => ({ kind, payload })));
    },
    get,
    bytes,
    text: async (path) => (await bytes(path)).toString(),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Starts an HTTP server on a free port of this machine; `answer` gets the body. */
export async function serve(
  answer: (
    url: string,
    body: string,
  ) => { readonly status: number; readonly type?: string; readonly text: string },
): Promise<{ readonly url: string } & AsyncDisposable> {
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { status, type, text } = answer(request.url ?? '', Buffer.concat(chunks).toString());
      response.writeHead(status, { 'content-type': type ?? 'text/plain', connection: 'close' }).end(text);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
