/**
 * Digest files: what makes log files evidence. In flow the trails, the log files that were delivered and are in no digest
 * yet, and the clock; out come signed digest files in the trails' buckets, each chained to the one before, and
 * ListPublicKeys. `FORMAT.md` says what is signed and what the control state holds.
 */
export { openDigests, type Digests, type DigestsOptions } from './open-digests.ts';
export { sha256Hex, signatureAlgorithm, stringToSign } from './digest-format.ts';
