import { AwsFault, parseArn, type Random } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import { unsupported } from './faults.ts';
import { keyOfGrant, readGrant, type GrantDocument } from './grant-documents.ts';
import { keyArn } from './key-documents.ts';

/**
 * Grant tokens: "a unique, nonsecret, variable-length, base64-encoded string that represents a grant" ("Grants in AWS KMS").
 * Here a grant is in force at once, so a token names it and allows nothing beyond it. FORMAT.md has the layout.
 */

const invalid = (): AwsFault => new AwsFault('InvalidGrantTokenException', 'Invalid grant token.');

export function grantToken(grant: GrantDocument, random: Random): string {
  const nonce = Buffer.from(random.bytes(12)).toString('hex');
  return Buffer.from(JSON.stringify([1, keyArn(keyOfGrant(grant)), grant.id, nonce])).toString('base64');
}

/** The key and the grant that a token names, which need not be there. Throws InvalidGrantTokenException. */
export function readToken(token: string): {
  readonly accountId: string;
  readonly region: string;
  readonly id: string;
  readonly grantId: string;
} {
  const text = Buffer.from(token, 'base64').toString();
  const [, key, grantId] = /^\[1,"([^"\\]+)","([0-9a-f]{64})","[0-9a-f]{24}"\]$/u.exec(text) ?? [];
  const arn = key === undefined ? undefined : parseArn(key);
  const id = /^key\/(.+)$/u.exec(arn?.resource ?? '')?.[1];
  if (!arn || arn.service !== 'kms' || id === undefined || grantId === undefined) throw invalid();
  return { accountId: arn.accountId, region: arn.region, id, grantId };
}

/** The grant of a token. Throws InvalidGrantTokenException, also for one that was retired or revoked. */
export async function grantOfToken(view: StateView, token: string): Promise<GrantDocument> {
  const { grantId, ...key } = readToken(token);
  const grant = await readGrant(view, key, grantId);
  if (!grant) throw invalid();
  return grant;
}

/** Checks what cryptographic operations take beside their own: grant tokens, and enclaves, which are absent here. */
export async function checkGrantTokens(
  view: StateView,
  input: { readonly GrantTokens?: readonly string[] | undefined; readonly Recipient?: unknown },
): Promise<void> {
  for (const token of input.GrantTokens ?? []) await grantOfToken(view, token);
  if (input.Recipient !== undefined) {
    throw unsupported('Recipient is not supported: there are no attested enclaves here.');
  }
}
