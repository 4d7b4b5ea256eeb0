import { rm, mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { limits, sequence, type Clock, type Logger } from '../../../kernel/index.ts';
import type {
  Columns,
  ColumnsBatch,
  ColumnsPart,
  ColumnsQuery,
  ColumnsTable,
  ColumnsView,
  QueryOutcome,
  TimeStretch,
} from '../../columns-port.ts';
import type { EngineBounds, EngineFile, EngineView, SealResult, WrittenFile } from './engine-messages.ts';
import { EngineDiedError, EngineRefusedError, tookTooMuchMemory } from './engine-process.ts';
import { setFilesAside } from './files-aside.ts';
import {
  emptyManifest,
  idsName,
  ManifestDamage,
  namesOf,
  ownersOf,
  readManifest,
  writeManifest,
  type Manifest,
  type SealedFile,
} from './manifest.ts';
import type { MergePlan } from './merge-plan.ts';
import { openRewriting, type MergeFiles } from './rewriting.ts';
import { openFilePins } from './file-pins.ts';
import { openQueryEngines } from './query-engines.ts';
import { halve, openStagedRows, type StagedRows } from './staged-rows.ts';
import { quoteName, quoteText, timeLiteral } from './table-sql.ts';
import { removeUnnamed } from './unnamed-files.ts';
import { openWriteEngines } from './write-engines.ts';

export interface DuckColumnsOptions {
  readonly directory: string;
  readonly table: ColumnsTable;
  readonly clock: Clock;
  readonly log: Logger;
  /** Bytes that the engine of one query may take; `limits.lakeQueryBytes` unless told. */
  readonly queryBytes?: number;
  /** Bytes that each engine that writes may take; `limits.lakeWriteBytes` unless told. */
  readonly writeBytes?: number;
  /** Rows of a file from which on its ids are indexed; 131,072 unless told. */
  readonly fewestIndexed?: number;
}

/** Removes what a crash left behind. */
async function sweep(directory: string, manifest: Manifest): Promise<void> {
  await removeUnnamed(directory, manifest);
  await rm(join(directory, 'work'), { recursive: true, force: true });
  await mkdir(join(directory, 'work'), { mode: 0o700 });
}

/**
 * The manifest that there is; without one that can be read, files that lie there are kept aside. The empty one that follows is
 * written at once, so that what a crash leaves of the first seal is files that do not count, as with any other seal.
 */
async function loadManifest(directory: string, log: Logger): Promise<Manifest> {
  let reason = 'it is missing';
  try {
    const known = await readManifest(directory);
    if (known) return known;
  } catch (error) {
    if (!(error instanceof ManifestDamage)) throw error;
    reason = error.message;
  }
  const aside = await setFilesAside(directory);
  if (aside !== undefined)
    log.error(
      { directory, reason, aside },
      'the manifest of the lake cannot be read; its files are kept aside, and what the journal and the history have comes into new ones',
    );
  await writeManifest(directory, emptyManifest);
  return emptyManifest;
}

/**
 * Opens columns as Parquet files that DuckDB writes and reads, in processes of its own: one that seals, one that merges, and
 * one for each query at a time. See FORMAT.md.
 */
export async function openDuckColumns(options: DuckColumnsOptions): Promise<Columns> {
  // Reading the ids of fewer rows takes no longer than looking into an index.
  const { directory, table, clock, fewestIndexed = 131_072 } = options;
  const log = options.log.child({ part: 'columns' });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  let manifest = await loadManifest(directory, log);
  await sweep(directory, manifest);
  const work = join(directory, 'work');
  const reading: EngineBounds = {
    memoryBytes: options.queryBytes ?? limits.lakeQueryBytes,
    threads: availableParallelism(),
  };
  const pins = openFilePins(directory, log);
  const engines = openQueryEngines(clock);
  const writers = openWriteEngines({
    directory: work,
    memoryBytes: options.writeBytes ?? limits.lakeWriteBytes,
    threads: Math.max(1, Math.floor(availableParallelism() / 2)),
    clock,
  });
  let nextFile = manifest.nextFile;
  let nextStaged = 0;
  let changing: Promise<unknown> = Promise.resolve();
  let sealing: Promise<unknown> = Promise.resolve();

  /** Changes the manifest, one change after the other; what it no longer names is removed when no query reads it. */
  const change = (make: (now: Manifest) => Manifest): Promise<void> => {
    const apply = async (): Promise<void> => {
      const next = { ...make(manifest), nextFile };
      await writeManifest(directory, next);
      const kept = new Set(next.files.flatMap(namesOf));
      const gone = manifest.files.flatMap(namesOf).filter((name) => !kept.has(name));
      manifest = next;
      pins.remove(gone);
    };
    const done = changing.then(apply);
    changing = done.catch(() => undefined);
    return done;
  };
  const scratchOf = (name: string): string => join(work, name.replace('.parquet', ''));
  const nextName = (): string => `${nextFile++}.parquet`;
  const listed = (file: WrittenFile): SealedFile => {
    const { path, ...rest } = file;
    return { ...rest, name: path.slice(directory.length + 1), version: table.version ?? 1 };
  };
  const given = (file: SealedFile): EngineFile => ({
    path: join(directory, file.name),
    owner: file.owner,
    from: file.from,
    to: file.to,
    version: file.version,
    ids: file.idBytes === undefined ? undefined : join(directory, idsName(file.name)),
  });

  let isClosed = false;
  let cleaning: Promise<unknown> = Promise.resolve();
  /**
   * Runs a task that writes files of this name. What it leaves when it fails is removed: it is tried again under another name,
   * and on a full disk every try would take more of the room that it lacks.
   */
  const leavingNothing = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      // What is left when the columns are closed goes with the next start.
      if (!isClosed) {
        // Where the new manifest is there and its name is not durable, it is the one on disk that a start would read.
        const clean = async () => {
          await removeUnnamed(directory, (await readManifest(directory)) ?? manifest, name);
          // An engine that was killed could not remove these.
          const scratch = scratchOf(name);
          for (const path of [scratch, `${scratch}.mended`]) await rm(path, { recursive: true, force: true });
        };
        cleaning = cleaning.then(clean).catch(() => undefined);
        await cleaning;
      }
      throw error;
    }
  };

  /** Runs a task that reads files, which stay until it ends. */
  const read = async <T>(files: readonly SealedFile[], run: () => Promise<T>): Promise<T> => {
    const release = pins.hold(files.flatMap(namesOf));
    try {
      return await run();
    } finally {
      release();
    }
  };

  const gathering = new Set<StagedRows>();
  const gather = async (): Promise<StagedRows> => {
    const staged = await openStagedRows(join(work, `${nextStaged++}.ndjson`), (gone) =>
      gathering.delete(gone),
    );
    gathering.add(staged);
    return staged;
  };
  /** Seals one batch after the other. */
  const seal = (staged: StagedRows, through: number): Promise<SealResult & { readonly added: number }> => {
    const done = sealing.then(() => sealBearable(staged, through));
    sealing = done.catch(() => undefined);
    return done;
  };
  /** Seals a batch, or where it takes too much memory one half of it after the other. */
  const sealBearable = async (
    staged: StagedRows,
    through: number,
  ): Promise<SealResult & { readonly added: number }> => {
    try {
      return await sealNow(staged, through);
    } catch (error) {
      if (!tookTooMuchMemory(error) || staged.count < 2) throw error;
      log.warn(
        { err: error, events: staged.count },
        'sealing so many events took too much memory; one half of them is sealed after the other',
      );
    }
    const halves = [await gather(), await gather()] as const;
    try {
      await halve(staged, halves);
      // Only with the second one everything is sealed; what of the first is there already is known by its ids.
      const first = await sealBearable(halves[0], manifest.durable);
      const second = await sealBearable(halves[1], through);
      await letGo(staged);
      return {
        files: [...first.files, ...second.files],
        duplicates: first.duplicates + second.duplicates,
        unreadable: [...first.unreadable, ...second.unreadable],
        added: first.added + second.added,
      };
    } finally {
      await Promise.all(halves.map(letGo));
    }
  };
  const sealNow = (staged: StagedRows, through: number) => {
    const name = nextName();
    return leavingNothing(name, () => sealAs(name, staged, through));
  };
  const sealAs = async (name: string, staged: StagedRows, through: number) => {
    await staged.finish();
    const known = manifest.files;
    const result = await read(known, () =>
      writers.run<'seal'>({
        kind: 'seal',
        table,
        staged: staged.file,
        scratch: scratchOf(name),
        isOneOwner: ownersOf(known).length <= 1,
        fewestIndexed,
        known: known.map(given),
        directory,
        name,
      }),
    );
    const files = result.files.map(listed);
    await change((now) => ({
      ...now,
      durable: Math.max(now.durable, through),
      files: [...now.files, ...files],
    }));
    await letGo(staged);
    const added = files.reduce((sum, { rows }) => sum + rows, 0);
    return { ...result, added };
  };
  const gathered = async (rows: ColumnsBatch['rows']): Promise<StagedRows> => {
    if ('add' in rows) return rows as StagedRows;
    const staged = await gather();
    await staged.add(rows.filter((row) => row.sequence >= manifest.durable));
    return staged;
  };

  const merge: MergeFiles = (plan, notBefore) => {
    const name = nextName();
    return leavingNothing(name, () => mergeAs(name, plan, notBefore));
  };
  const mergeAs = async (name: string, { inputs, sort }: MergePlan, notBefore: number | undefined) => {
    const [first] = inputs;
    if (!first) return;
    const output = join(directory, first.owner, name);
    const written = await read(inputs, () =>
      writers.run<'merge'>({
        kind: 'merge',
        table,
        owner: first.owner,
        inputs: inputs.map(given),
        sort,
        ...(notBefore !== undefined && { notBefore }),
        output,
        fewestIndexed,
      }),
    );
    const gone = new Set(inputs.map(({ name }) => name));
    await change((now) => ({
      ...now,
      files: now.files.flatMap((file) => {
        if (file.name === first.name && written.rows > 0) return [listed(written)];
        return gone.has(file.name) ? [] : [file];
      }),
    }));
  };
  const remove = async (gone: readonly SealedFile[]): Promise<void> => {
    const names = new Set(gone.map(({ name }) => name));
    await change((now) => ({ ...now, files: now.files.filter(({ name }) => !names.has(name)) }));
  };
  const rewriting = openRewriting({ files: () => manifest.files, merge, remove, log });

  const viewOf = (
    view: ColumnsView,
  ): { readonly engine: EngineView; readonly files: readonly SealedFile[] } => {
    const { name, owner, where = 'true', ids, times, apart } = view;
    const files = manifest.files.filter((file) => file.owner === owner);
    const narrowed = { ...(ids && { ids }), ...(times && { times }), ...(apart && { apart }) };
    return { engine: { name, owner, files: files.map(given), where, ...narrowed }, files };
  };
  rewriting.mergeSoon();
  return {
    get durable() {
      return sequence(manifest.durable);
    },
    gather,
    async append({ rows, through }) {
      const nothing = { added: 0, duplicates: 0, unreadable: [] };
      if (through <= manifest.durable) return nothing;
      const staged = await gathered(rows);
      if (staged.count === 0) {
        await change((now) => ({ ...now, durable: through }));
        await letGo(staged);
        return nothing;
      }
      const { added, duplicates, unreadable } = await seal(staged, through);
      rewriting.mergeSoon();
      return { added, duplicates, unreadable: unreadable.map(sequence) };
    },
    async fill(rows) {
      const staged = await gathered(rows);
      if (staged.count === 0) {
        await letGo(staged);
        return { added: 0, duplicates: 0 };
      }
      const { added, duplicates } = await seal(staged, 0);
      rewriting.mergeSoon();
      return { added, duplicates };
    },
    async query(query: ColumnsQuery, signal): Promise<QueryOutcome> {
      const views = query.views.map(viewOf);
      const files = [...new Set(views.flatMap((view) => view.files))];
      const sum = (of: (file: SealedFile) => number) => files.reduce((total, file) => total + of(file), 0);
      try {
        const result = await read(files, () =>
          engines.run<'query'>(
            {
              kind: 'query',
              table,
              bounds: reading,
              views: views.map(({ engine }) => engine),
              sql: query.sql,
              into: query.into,
              mostBytes: query.mostBytes,
            },
            signal,
          ),
        );
        return {
          kind: 'finished',
          ...result,
          scannedRows: sum(({ rows }) => rows),
          scannedBytes: sum(({ bytes }) => bytes),
        };
      } catch (error) {
        if (error instanceof EngineRefusedError || error instanceof EngineDiedError)
          return { kind: 'failed', reason: error.message };
        throw error;
      }
    },
    async parts(view, { by, from, to }, signal): Promise<readonly ColumnsPart[]> {
      const names = by.map(quoteName);
      const day = `strftime(${quoteName(table.time)}, '%Y-%m-%d')`;
      const bounds = rangeOf(table, from, to);
      const sql = `SELECT ${[...names, day, 'count(*)'].join(', ')} FROM ${quoteName(view.name)} WHERE ${bounds} GROUP BY ALL ORDER BY ALL`;
      const { engine, files } = viewOf({ ...view, times: [stretchOf(from, to)] });
      const rows = await read(files, () =>
        engines.run<'own'>({ kind: 'own', table, bounds: reading, view: engine, sql }, signal),
      );
      return rows.map((row) => ({
        owner: view.owner,
        values: Object.fromEntries(by.map((name, at) => [name, row[at] ?? null])),
        day: row[by.length] ?? '',
        rows: Number(row[by.length + 1]),
      }));
    },
    async writeParts(view, parts, signal) {
      const columns = table.columns.map(({ name }) => quoteName(name)).join(', ');
      const exported = parts.map(({ day, values, into }) => {
        const from = Date.parse(`${day}T00:00:00Z`);
        const to = from + 86_400_000;
        const conditions = Object.entries(values).map(([name, value]) =>
          value === null ? `${quoteName(name)} IS NULL` : `${quoteName(name)} = ${quoteText(value)}`,
        );
        const where = [rangeOf(table, from, to), ...conditions].join(' AND ');
        // The rows of a file are in the order of their times; sorting those of several would hold all of them in memory.
        const sql = `SELECT ${columns} FROM ${quoteName(view.name)} WHERE ${where}`;
        return { sql, into, times: stretchOf(from, to) };
      });
      const { engine, files } = viewOf({ ...view, times: exported.map(({ times }) => times) });
      await read(files, () =>
        engines.run<'export'>(
          { kind: 'export', table, bounds: reading, view: engine, files: exported },
          signal,
        ),
      );
    },
    drop: (before) => rewriting.drop(before),
    owners: () => ownersOf(manifest.files),
    stats: () => ({
      rows: manifest.files.reduce((total, { rows }) => total + rows, 0),
      files: manifest.files.length,
      sizeBytes:
        manifest.files.reduce((total, { bytes }) => total + bytes, 0) +
        manifest.files.reduce((total, { idBytes = 0 }) => total + idBytes, 0),
    }),
    settled: () => rewriting.settled(),
    async [Symbol.asyncDispose]() {
      isClosed = true;
      await cleaning;
      rewriting.close();
      await engines[Symbol.asyncDispose]();
      await writers.kill('merge');
      await rewriting.ended();
      await writers.kill('seal');
      await changing;
      for (const staged of gathering) await letGo(staged);
      await pins.settled();
    },
  };
}

const letGo = (staged: StagedRows): PromiseLike<void> => staged[Symbol.asyncDispose]();

function rangeOf(table: ColumnsTable, from: number | undefined, to: number | undefined): string {
  const time = quoteName(table.time);
  const bounds = [
    ...(from === undefined ? [] : [`${time} >= ${timeLiteral(from)}`]),
    ...(to === undefined ? [] : [`${time} < ${timeLiteral(to)}`]),
  ];
  return bounds.length === 0 ? 'true' : bounds.join(' AND ');
}

const stretchOf = (from: number | undefined, to: number | undefined): TimeStretch => ({
  atLeast: from === undefined ? [] : [timeLiteral(from)],
  atMost: to === undefined ? [] : [timeLiteral(to)],
});
