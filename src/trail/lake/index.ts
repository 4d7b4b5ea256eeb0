/**
 * The lake: SQL over years of events. In flow the records of the journal, which become typed columns (the `columns` port),
 * and log files of buckets; out come CloudTrail Lake's operations on event data stores, channels, imports, queries and
 * dashboards, the rows of queries as pages and as signed files in S3, and exports of Parquet. FORMAT.md says what is kept,
 * and where.
 */
export { openLake, type Lake, type LakeOptions } from './open-lake.ts';
export { findChannelArn } from './channel-documents.ts';
export { openTakeLogFile, type TakeLogFile } from './imports/take-log-file.ts';
export { lakeResources } from './lake-resources.ts';
export { lakeTable } from './schema.ts';
