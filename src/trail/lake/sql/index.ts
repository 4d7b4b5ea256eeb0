/**
 * The lake's SQL: the SELECT of Trino as CloudTrail Lake documents it, translated to the SELECT of DuckDB. The
 * text of a statement and a way to find event data stores flow in; out comes a query of which every identifier and
 * literal was written here, with the stores it reads and the columns it gives, or a refusal that names the
 * construct and its place. Nothing of a statement reaches the engine unparsed. FORMAT.md has the language.
 */
export { translate } from './translate.ts';
export type { FindEventDataStore, LakeColumn, LakeTable, Translation } from './translate.ts';
