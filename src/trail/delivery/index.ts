/**
 * Delivery of log files: every trail reads the journal from its own durable position and puts what it logs into its bucket,
 * each event in exactly one file whatever crashes or refuses in between. In flow the journal's `audit` stream, in which the
 * trails' own changes stand in their place; out flow files, the documents that digests are made of, and each trail's
 * status. FORMAT.md describes the files and the documents.
 */
export { openDelivery, type Delivery, type DeliveryOptions } from './open-delivery.ts';
export { openLoggedByTrails, type LoggedByTrails } from './logged-by-trails.ts';
export { openCollectThread } from './collect-thread.ts';
