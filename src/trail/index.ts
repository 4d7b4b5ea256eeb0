/**
 * The trail: every call becomes a CloudTrail record in the journal, and every record is found again. In flow decoded and
 * rejected calls from `wire`, audit events of other systems, and log files; out come records in the journal's `audit`
 * stream, LookupEvents, the searches and the live tail of `/_cairn/events`.
 */
export { openTrail, type Trail, type TrailOptions } from './open-trail.ts';
export type { OperationClass } from './recording/call-facts.ts';
export { defaultChannelArn } from './ingest/prepare-input.ts';
export { openTrails, type Trails, type TrailsOptions } from './trails/index.ts';
export type { ImportSummary } from './import/import-routes.ts';
