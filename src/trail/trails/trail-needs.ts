import type { ServiceCaller } from '../../identity/index.ts';
import type { ActingFor } from '../buckets.ts';

/**
 * The need of trails for KMS. Failures are AwsFault with the codes of KMS (NotFoundException, DisabledException,
 * AccessDenied, …).
 */
export interface TrailKeys {
  /** The ARN of the key that an id, an ARN or an alias stands for. */
  keyArn(request: {
    readonly keyId: string;
    readonly accountId: string;
    readonly region: string;
  }): Promise<string>;
  /** Makes a data key, if the key's policy lets CloudTrail. */
  generate(request: {
    readonly keyId: string;
    readonly accountId: string;
    readonly region: string;
    readonly context: Readonly<Record<string, string>>;
    readonly as: { readonly kind: 'service'; readonly caller: ServiceCaller };
  }): Promise<unknown>;
}

/** The need of trails for SNS. Failures are AwsFault with the codes of SNS. */
export interface DeliveryTopics {
  /** The ARN of the topic that a name or ARN stands for, if CloudTrail may publish to it; undefined when there is none. */
  find(nameOrArn: string, as: ActingFor): Promise<string | undefined>;
  /** Publishes the notice that log files were delivered. */
  publishDelivery(topicArn: string, message: string, as: ActingFor): Promise<void>;
}

/** CloudTrail, acting for a trail. */
export function cloudTrailFor(as: ActingFor, time: number): ServiceCaller {
  return {
    service: 'cloudtrail.amazonaws.com',
    sourceArn: as.arn,
    sourceAccountId: as.accountId,
    region: as.region,
    time,
  };
}
