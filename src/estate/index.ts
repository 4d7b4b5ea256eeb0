/**
 * The estate: the real services that others need as destinations. In flow calls of S3 and KMS; out flow changes of control
 * state, and objects in the blob store. Trails and the lake use it through function types that `server.ts` supplies.
 */
export { verifyContents } from './s3/index.ts';
export { openEstate, type Estate, type EstateOptions } from './open-estate.ts';
