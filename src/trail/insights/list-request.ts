import { AwsFault } from '../../kernel/index.ts';
import type { StateView } from '../../state/index.ts';
import type { Call } from '../../wire/index.ts';
import { placeOf } from '../api/lookup-token.ts';
import { lookUpTrail } from '../trails/find-trail.ts';
import type { TrailDocument } from '../trails/trail-documents.ts';

/** What ListInsightsData and ListInsightsMetricData have in common in their requests; of faults they know this one. */
export const invalidCode = 'InvalidParameterException';
export const invalidParameter = (text: string): AwsFault => new AwsFault(invalidCode, text);

const isArnOfAnother = (text: string): boolean => text.startsWith('arn:') && !text.includes(':trail/');

/**
 * The trail of the caller's account that a member of the request names, by its ARN or its name. Throws
 * InvalidParameterException, and InvalidTrailNameException for what can be no name.
 */
export async function namedTrail(
  view: StateView,
  member: string,
  nameOrArn: string,
  call: Pick<Call, 'accountId' | 'region'>,
): Promise<TrailDocument> {
  if (isArnOfAnother(nameOrArn)) {
    throw invalidParameter(
      `${member} takes a trail, not ${nameOrArn}; Insights events of an event data store are found by queries.`,
    );
  }
  const trail = await lookUpTrail(view, nameOrArn, call);
  if (!trail)
    throw invalidParameter(`${member}: unknown trail ${nameOrArn} for the account ${call.accountId}.`);
  return trail;
}

/** The place that a token of the same request stands for. Throws InvalidParameterException. */
export function placeIn(request: string, token: string): string {
  try {
    return placeOf(request, token);
  } catch (error) {
    if (error instanceof AwsFault) throw invalidParameter(error.message);
    throw error;
  }
}
