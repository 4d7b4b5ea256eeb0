import type { Call, Need } from '../../../wire/index.ts';
import { trailArn } from '../trail-names.ts';

/** The ARN that a permission on a trail is asked for: the one that was given, or that of the name in the caller's region. */
function arnOf(nameOrArn: string, { accountId, region }: Call): string {
  return nameOrArn.startsWith('arn:') ? nameOrArn : trailArn(accountId, region, nameOrArn);
}

/** The need of an operation on one trail ("Actions, resources, and condition keys for AWS CloudTrail"). */
export function onTrail(operation: string, nameOrArn: string, call: Call): Need {
  return { action: `cloudtrail:${operation}`, resource: arnOf(nameOrArn, call) };
}
