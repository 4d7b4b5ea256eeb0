import { AwsFault } from '../../kernel/index.ts';
import { invalidRequest, jsonAnswer, type HttpRoute, type RouteAnswer } from '../../wire/index.ts';
import { formatVerifierKey, type VerifierKey } from './signed-note.ts';
import { TreeDamage, type TreeFiles } from './tree-files.ts';
import { hashesAt, parseTilePath, tileWidth, type TileName } from './tile-path.ts';

const logPrefix = '/_cairn/tlog/';

export interface LogRoutesOptions {
  readonly key: VerifierKey;
  readonly files: TreeFiles;
  /** The newest published checkpoint with its cosignatures, and how many leaves it has; undefined before the first. */
  readonly published: () => { readonly size: number; readonly text: string } | undefined;
  /** Resolves once everything recorded so far is published. Throws AwsFault where that takes long. */
  settled(signal: AbortSignal): Promise<void>;
  /** Told when the files of the tree are found damaged. */
  onDamage(reason: string): void;
}

const forever = 'public, max-age=31536000, immutable';

/** What is not there yet soon may be, so no cache is to keep that it is not. */
const notKept = { 'cache-control': 'no-store' };

function nothing(): never {
  throw new AwsFault('ResourceNotFoundException', 'The log has nothing at this path.', {
    status: 404,
    headers: notKept,
  });
}

async function readNamed(options: LogRoutesOptions, { level, index, width }: TileName): Promise<Uint8Array> {
  const { files } = options;
  try {
    return await (level === 'entries' ? files.readBundle(index, width) : files.readTile(level, index, width));
  } catch (error) {
    if (!(error instanceof TreeDamage)) throw error;
    options.onDamage(error.message);
    const message = 'The files of the tree are being made anew. Try again later.';
    throw new AwsFault('ServiceUnavailable', message, { status: 503, headers: notKept, cause: error });
  }
}

/** A tile that is in the tree as it is published; what lies beyond has no signature over it. */
async function answerTile(options: LogRoutesOptions, path: string): Promise<RouteAnswer> {
  const name = parseTilePath(path) ?? nothing();
  const level = name.level === 'entries' ? 0 : name.level;
  const size = options.published()?.size ?? 0;
  if (name.index * tileWidth + name.width > hashesAt(level, size)) nothing();
  const body = await readNamed(options, name);
  return {
    status: 200,
    headers: { 'content-type': 'application/octet-stream', 'cache-control': forever },
    body,
  };
}

function answerText(text: string, cacheControl: string): RouteAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': cacheControl },
    body: text,
  };
}

/**
 * The log as static files under `/_cairn/tlog/` (C2SP "Tiled Transparency Logs"), open to everybody: they hold hashes and
 * no content; and `GET /_cairn/tlog-leaf?sha256=…` (signed), which finds the leaf of a record.
 */
export function logRoutes(options: LogRoutesOptions): readonly HttpRoute[] {
  const { key, files, published } = options;
  let searching: Promise<unknown> = Promise.resolve();

  /** One search at a time: each reads the whole file at worst. */
  async function find(entry: Uint8Array): Promise<number | undefined> {
    const search = searching.then(() => files.find(entry, published()?.size ?? 0));
    searching = search.catch(() => undefined);
    return search;
  }

  return [
    {
      method: 'GET',
      path: `${logPrefix}*`,
      unsigned: true,
      operationName: 'GetLogFile',
      access: 'read',
      handle({ path }) {
        const name = path.slice(logPrefix.length);
        if (name === 'checkpoint') {
          return Promise.resolve(answerText(published()?.text ?? nothing(), 'public, max-age=1'));
        }
        if (name === 'key') {
          return Promise.resolve(answerText(`${formatVerifierKey(key)}\n`, 'public, max-age=3600'));
        }
        return answerTile(options, name);
      },
    },
    {
      method: 'GET',
      path: '/_cairn/tlog-leaf',
      operationName: 'FindLogLeaf',
      access: 'read',
      async handle({ query, signal }) {
        const sha256 = query.get('sha256') ?? '';
        if (!/^[0-9a-f]{64}$/.test(sha256)) {
          throw invalidRequest("The parameter sha256 takes a record's SHA-256, 64 hexadecimal digits.");
        }
        await options.settled(signal);
        const index = await find(Buffer.from(sha256, 'hex'));
        if (index !== undefined) return jsonAnswer({ index });
        throw new AwsFault(
          'ResourceNotFoundException',
          `No record with the SHA-256 ${sha256} is in the log.`,
          {
            status: 404,
          },
        );
      },
    },
  ];
}
