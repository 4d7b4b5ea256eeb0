/**
 * DuckDB straight over the .json.gz files, which is what Athena-style tools do. The package is large and only the
 * benchmark needs it: `npm i --no-save @duckdb/node-api@1.5.6-r.1` before `npm run bench`.
 */
export interface DuckDbPeer extends Disposable {
  /** Runs SQL in which `events` stands for all records of the files; gives rows and milliseconds. */
  run(sql: string): Promise<{ readonly rows: number; readonly ms: number }>;
}

interface DuckDbModule {
  readonly DuckDBInstance: {
    create(path: string): Promise<{ connect(): Promise<DuckDbConnection>; closeSync(): void }>;
  };
}
interface DuckDbConnection {
  runAndReadAll(sql: string): Promise<{ readonly currentRowCount: number }>;
  closeSync(): void;
}

/** Opens DuckDB over the files of a glob; undefined when the package is not installed. */
export async function openDuckDb(glob: string): Promise<DuckDbPeer | undefined> {
  const name = '@duckdb/node-api';
  const module = await (import(name) as Promise<DuckDbModule>).catch(() => undefined);
  if (!module) return undefined;
  const instance = await module.DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.runAndReadAll(`SET threads = 2`);
  await connection.runAndReadAll(`
    CREATE VIEW events AS SELECT unnest(Records, recursive := false) AS r FROM read_json('${glob}', format = 'auto',
      maximum_object_size = 1073741824, columns = {Records: 'STRUCT(eventID VARCHAR, eventTime VARCHAR, eventName VARCHAR,
        eventSource VARCHAR, errorCode VARCHAR, userIdentity STRUCT(accessKeyId VARCHAR, userName VARCHAR))[]'})`);
  return {
    async run(sql) {
      const start = performance.now();
      const result = await connection.runAndReadAll(sql);
      return { rows: result.currentRowCount, ms: performance.now() - start };
    },
    [Symbol.dispose]() {
      connection.closeSync();
      instance.closeSync();
    },
  };
}
