import { createHash } from 'node:crypto';
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '../../kernel/index.ts';
import type { Stream } from '../../journal/index.ts';
import type { Columns, ColumnsView } from '../../store/index.ts';
import type { History } from '../history/index.ts';
import { recordColumns } from './schema.ts';

/** What brings records from the history for the queries that ask for eventJson or eventJsonChecksum. */
export interface QueryRecords {
  /**
   * A view with these columns, for the events of a SELECT of ids over it; or why they cannot be had. The file that holds
   * them is there until `release`.
   */
  bring(
    queryId: string,
    view: ColumnsView,
    ids: string,
    signal: AbortSignal,
  ): Promise<
    | { readonly kind: 'ready'; readonly view: ColumnsView }
    | { readonly kind: 'refused'; readonly message: string }
  >;
  release(queryId: string): Promise<void>;
}

const lookedUpAtOnce = 200;

/** Opens it over a directory that is there and empty. */
export function openQueryRecords(parts: {
  readonly columns: Columns;
  readonly history: Pick<History, 'stream'>;
  readonly stream: Stream;
  readonly directory: string;
}): QueryRecords {
  const { columns, history, stream, directory } = parts;
  const files = new Map<string, string[]>();
  const fileFor = (queryId: string): string => {
    const names = files.get(queryId) ?? [];
    const file = join(directory, `${queryId}-${names.length}`);
    files.set(queryId, [...names, file]);
    return file;
  };

  /** Writes the records of ids, each once; gives the ids that the history does not have. */
  const write = async (
    owner: string,
    ids: readonly string[],
    into: { add(line: string): Promise<void> },
    signal: AbortSignal,
  ): Promise<string[]> => {
    const missing: string[] = [];
    for (let at = 0; at < ids.length; at += lookedUpAtOnce) {
      const left = new Set(ids.slice(at, at + lookedUpAtOnce));
      const attributes = [
        { name: 'EventId', values: [...left] },
        { name: 'AccountId', values: [owner] },
      ] as const;
      for await (const { eventId, raw } of history.stream({ attributes }, signal)) {
        if (!left.delete(eventId)) continue;
        const eventJson = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('utf8');
        const eventJsonChecksum = createHash('sha256').update(raw).digest('hex');
        await into.add(`${JSON.stringify({ id: eventId, eventJson, eventJsonChecksum })}\n`);
      }
      missing.push(...left);
    }
    return missing;
  };

  const idsOf = async (queryId: string, view: ColumnsView, ids: string, signal: AbortSignal) => {
    const into = fileFor(queryId);
    const sql = `SELECT DISTINCT "id" FROM (${ids}) AS "ids" LIMIT ${limits.lakeQueryRecords + 1}`;
    const views = [view];
    const found = await columns.query({ sql, views, into, mostBytes: limits.lakeQueryRecordBytes }, signal);
    if (found.kind === 'failed') return found;
    const lines = (await readFile(into, 'utf8')).split('\n').filter((line) => line !== '');
    return { kind: 'found' as const, ids: lines.map((line) => (JSON.parse(line) as [string])[0]) };
  };

  return {
    async bring(queryId, view, select, signal) {
      const found = await idsOf(queryId, view, select, signal);
      if (found.kind === 'failed') return { kind: 'refused', message: found.reason };
      if (found.ids.length > limits.lakeQueryRecords) {
        const message = `eventJson is brought from the history for at most ${limits.lakeQueryRecords} events; narrow them down by other columns, such as eventTime, in WHERE`;
        return { kind: 'refused', message };
      }
      const file = fileFor(queryId);
      await using handle = await open(file, 'w', 0o600);
      let bytes = 0;
      const into = {
        async add(line: string) {
          bytes += Buffer.byteLength(line);
          if (bytes <= limits.lakeQueryRecordBytes) await handle.write(line);
        },
      };
      // The history reads the journal by itself: it may be a moment behind the columns.
      await stream.readers.find(({ name }) => name === 'history')?.reached(stream.end);
      const missing = await write(view.owner, found.ids, into, signal);
      if (bytes > limits.lakeQueryRecordBytes) {
        const message = `the records that eventJson is asked for have more than ${limits.lakeQueryRecordBytes / 1024 / 1024} MiB; narrow them down in WHERE`;
        return { kind: 'refused', message };
      }
      if (missing.length > 0) {
        const message = `eventJson is not to be had of ${missing.length} of the events: the history does not keep their records any more; narrow them down by eventTime`;
        return { kind: 'refused', message };
      }
      return { kind: 'ready', view: { ...view, apart: { columns: recordColumns, file } } };
    },
    async release(queryId) {
      for (const file of files.get(queryId) ?? []) await rm(file, { force: true });
      files.delete(queryId);
    },
  };
}
