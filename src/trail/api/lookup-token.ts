import { createHash } from 'node:crypto';
import { AwsFault } from '../../kernel/index.ts';

/**
 * The opaque tokens of LookupEvents. A token carries the history's place and a digest over that place and the request
 * that it belongs to, so that a token used with other parameters, or a damaged one, is refused. It is no secret: every
 * request is authorised by itself and sees only its caller's account.
 */
const digestBytes = 16;

function digestOf(request: string, place: string): Buffer {
  return createHash('sha256').update(request).update('\0').update(place).digest().subarray(0, digestBytes);
}

/** The token for a place in the answer to `request` (a canonical text of its parameters). */
export function tokenFor(request: string, place: string): string {
  return Buffer.concat([digestOf(request, place), Buffer.from(place)]).toString('base64url');
}

/** The place that a token stands for. Throws InvalidNextTokenException for one that does not belong to `request`. */
export function placeOf(request: string, token: string): string {
  const bytes = Buffer.from(token, 'base64url');
  const place = bytes.subarray(digestBytes).toString();
  // Decoding passes over what does not belong in base64url; only the very text that was given out is a token.
  const isWhole = bytes.length > digestBytes && bytes.toString('base64url') === token;
  if (!isWhole || !digestOf(request, place).equals(bytes.subarray(0, digestBytes))) {
    throw new AwsFault(
      'InvalidNextTokenException',
      'The NextToken is not valid, or was given by a request with other parameters.',
    );
  }
  return place;
}
