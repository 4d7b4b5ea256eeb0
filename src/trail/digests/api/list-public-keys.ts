import type { ListPublicKeysRequest, ListPublicKeysResponse, PublicKey } from '@aws-sdk/client-cloudtrail';
import { AwsFault } from '../../../kernel/index.ts';
import type { StateView } from '../../../state/index.ts';
import type { Call } from '../../../wire/index.ts';
import { digestKeysPrefix, type DigestKeyDocument } from '../digest-documents.ts';

const pageKeys = 1000;

function timeOf(name: string, value: Date | undefined): number | undefined {
  if (value === undefined) return undefined;
  const time = value.getTime();
  if (!Number.isFinite(time)) throw new AwsFault('InvalidTimeRangeException', `The ${name} is not a time.`);
  return time;
}

function rangeOf({ StartTime, EndTime }: ListPublicKeysRequest, now: number): { from: number; to: number } {
  const to = timeOf('EndTime', EndTime) ?? now;
  const from = timeOf('StartTime', StartTime) ?? Math.min(now, to);
  if (from > to) throw new AwsFault('InvalidTimeRangeException', 'The StartTime is after the EndTime.');
  return { from, to };
}

function placeOf({ NextToken }: ListPublicKeysRequest): number {
  if (NextToken === undefined) return 0;
  if (!/^\d{1,9}$/.test(NextToken))
    throw new AwsFault('InvalidTokenException', 'The NextToken is not valid.');
  return Number(NextToken);
}

function shown({ publicKey, validFrom, validTo, fingerprint }: DigestKeyDocument): PublicKey {
  return {
    Value: Buffer.from(publicKey, 'base64'),
    ValidityStartTime: new Date(validFrom),
    ValidityEndTime: new Date(validTo),
    Fingerprint: fingerprint,
  };
}

/**
 * The public keys of the call's region whose time meets the time that is asked for, oldest first; without a StartTime and
 * an EndTime those of now. Throws InvalidTimeRangeException and InvalidTokenException.
 */
export async function ListPublicKeys(
  input: ListPublicKeysRequest,
  call: Pick<Call, 'region' | 'time'>,
  view: StateView,
): Promise<ListPublicKeysResponse> {
  const { from, to } = rangeOf(input, call.time);
  const place = placeOf(input);
  const documents = await view.list<DigestKeyDocument>(digestKeysPrefix(call.region));
  const keys = documents
    .map(({ value }) => value)
    .filter(({ validFrom, validTo }) => validFrom <= to && from < validTo)
    .toSorted((a, b) => a.validFrom - b.validFrom || (a.fingerprint < b.fingerprint ? -1 : 1));
  const next = place + pageKeys;
  return {
    PublicKeyList: keys.slice(place, next).map(shown),
    ...(next < keys.length && { NextToken: String(next) }),
  };
}
