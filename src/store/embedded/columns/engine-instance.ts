import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type { EngineBounds } from './engine-messages.ts';

/** An engine of its own in memory, without extensions, for one task. */
export interface EngineInstance extends Disposable {
  readonly connection: DuckDBConnection;
  run(sql: string): Promise<void>;
  /** The rows as texts and nulls. */
  rows(sql: string): Promise<readonly (readonly (string | null)[])[]>;
}

export async function openEngineInstance(bounds: EngineBounds): Promise<EngineInstance> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(bounds.threads),
    memory_limit: `${Math.floor(bounds.memoryBytes / 1024 / 1024)}MiB`,
    temp_directory: bounds.spillDirectory ?? '',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
  });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  return {
    connection,
    async run(sql) {
      await connection.run(sql);
    },
    async rows(sql) {
      const reader = await connection.runAndReadAll(sql);
      return reader.getRows().map((row) => row.map((value) => (value === null ? null : String(value))));
    },
    [Symbol.dispose]() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
