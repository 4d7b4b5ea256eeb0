import type {
  ConnectionHttpParameters,
  CreateConnectionAuthRequestParameters,
} from '@aws-sdk/client-eventbridge';
import type { Cipher } from '../../../identity/index.ts';
import type { ConnectionDocument } from '../../bus-documents.ts';

/** What a connection authorizes with: the parameters that it was made with, secrets and all. */
export type ConnectionSecret = CreateConnectionAuthRequestParameters;

/** Seals them for the document under this key. */
export function sealConnection(cipher: Cipher, secret: ConnectionSecret, documentKey: string): string {
  return cipher.seal(Buffer.from(JSON.stringify(secret)), documentKey).toString('base64');
}

/** Undefined for a connection that has none any more. */
export function openConnection(
  cipher: Cipher,
  { sealed }: ConnectionDocument,
  documentKey: string,
): ConnectionSecret | undefined {
  if (sealed === undefined) return undefined;
  const plain = cipher.open(Buffer.from(sealed, 'base64'), documentKey);
  if (!plain) throw new Error(`the secret of ${documentKey} was not sealed under this master key`);
  return JSON.parse(plain.toString()) as ConnectionSecret;
}

/** The parameters of one kind, by their names. */
export function namedValues(
  parameters: ConnectionHttpParameters | undefined,
  kind: keyof ConnectionHttpParameters,
): readonly (readonly [string, string])[] {
  return (parameters?.[kind] ?? []).map(({ Key = '', Value = '' }) => [Key, Value] as const);
}
