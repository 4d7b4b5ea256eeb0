/**
 * The `columns` port on this machine's disk: Parquet files under one manifest, written and read by DuckDB in processes apart.
 * See FORMAT.md.
 */
export { openDuckColumns, type DuckColumnsOptions } from './duck-columns.ts';
export { verifyColumns, type ColumnsFindings } from './verify-columns.ts';
