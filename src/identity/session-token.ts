import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { AccountId } from '../kernel/index.ts';
import type { Cipher } from './cipher.ts';

/**
 * Session tokens. Temporary credentials are kept nowhere: the token itself says, encrypted and authenticated, who it
 * stands for, until when, and what the secret access key is. It opens only together with its access key id.
 * FORMAT.md describes the bytes.
 */

/** What every session carries. Times are epoch milliseconds. */
interface SessionFacts {
  readonly accountId: AccountId;
  readonly secretAccessKey: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** From GetSessionToken. The parent key must stay active. */
export interface KeySession extends SessionFacts {
  readonly kind: 'key';
  readonly parentAccessKeyId: string;
}

/** From AssumeRole. The role must stay the one that was assumed. */
export interface RoleSession extends SessionFacts {
  readonly kind: 'role';
  readonly roleName: string;
  readonly roleId: string;
  readonly sessionName: string;
  readonly sourceIdentity?: string;
  readonly tags?: readonly (readonly [key: string, value: string])[];
  readonly transitiveTagKeys?: readonly string[];
  /** A session policy, JSON text. */
  readonly policy?: string;
  /** Managed policies that limit the session. */
  readonly policyArns?: readonly string[];
}

export type SessionContent = KeySession | RoleSession;

const version = 1;
const longestContent = 256 * 1024;

const contextOf = (accessKeyId: string): string => `session/${accessKeyId}`;

/**
 * Writes the token of these temporary credentials, filled up to `leastSize` characters. The filling follows the content
 * under the encryption; a reader of DEFLATE stops before it.
 */
export function sealSession(
  cipher: Cipher,
  accessKeyId: string,
  session: SessionContent,
  leastSize = 0,
): string {
  const content = deflateRawSync(JSON.stringify(session));
  const seal = (fillBytes: number): string => {
    const sealed = cipher.seal(Buffer.concat([content, Buffer.alloc(fillBytes)]), contextOf(accessKeyId));
    return Buffer.concat([Buffer.of(version), sealed]).toString('base64');
  };
  const token = seal(0);
  return token.length >= leastSize ? token : seal(Math.ceil(((leastSize - token.length) * 3) / 4) + 3);
}

/** Reads a token; undefined when it is not one of ours, has been changed, or belongs to another access key id. */
export function openSession(cipher: Cipher, accessKeyId: string, token: string): SessionContent | undefined {
  const bytes = Buffer.from(token, 'base64');
  // One session has one token: other spellings of the same base 64 are not it.
  if (bytes[0] !== version || bytes.toString('base64') !== token) return undefined;
  const content = cipher.open(bytes.subarray(1), contextOf(accessKeyId));
  if (!content) return undefined;
  const json = inflateRawSync(content, { maxOutputLength: longestContent }).toString();
  return JSON.parse(json) as SessionContent;
}

/** Session policies and tags may take this much, packed; PackedPolicySize is in per cent of it. */
const packedBytes = 4096;

/** How much of the allotted space session policies and tags take, in per cent. */
export function packedSize(
  session: Pick<RoleSession, 'policy' | 'policyArns' | 'tags' | 'transitiveTagKeys'>,
): number {
  const { policy, policyArns, tags, transitiveTagKeys } = session;
  const packed = deflateRawSync(JSON.stringify([policy, policyArns, tags, transitiveTagKeys]));
  return Math.ceil((packed.length * 100) / packedBytes);
}
