/**
 * Signature Version 4, on the server's side: a raw request goes in; out comes whose it is, and its body as it may be
 * read, or the refusal in the words of the service that was called. Also the client's side, for tests and benchmarks.
 */
export type { HeaderLine, SignedRequest } from './canonical.ts';
export { emptySha256, normalisePath, queryPairs, sha256Hex } from './canonical.ts';
export { claimedCredential, readClaim, signatureParameters, type SignatureClaim } from './claim.ts';
export { openChecksum, type Checksum, type ChecksumName } from './checksums.ts';
export {
  badScope,
  credentialFault,
  dialectOf,
  missingToken,
  signatureMismatch,
  type Dialect,
} from './faults.ts';
export { checksumOfBody, hasChecksum, uncoveredPayload, verifiedPayload } from './payload.ts';
export { payloadHashText, payloadMode, type PayloadMode } from './payload-mode.ts';
export { presignUrl, signRequest } from './sign.ts';
export { openSigningKeys, type SigningKeys } from './signing-key.ts';
export { readVersion2Claim, verifyVersion2, withoutVersion2, type Version2Claim } from './version-2.ts';
export { checkClaim, verifySignature } from './verify.ts';
