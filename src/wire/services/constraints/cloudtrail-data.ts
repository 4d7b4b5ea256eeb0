import type { ServiceConstraints } from './constraint.ts';

const uuid = { length: [1, 128], pattern: '^[-_A-Za-z0-9]+$' } as const;

/**
 * Lengths and patterns of PutAuditEvents. Its page gives `arn:.*` as the pattern of channelArn and calls it "the ARN or
 * ID" in the same breath, so what a channel is called is left to the operation and its InvalidChannelARN.
 */
export const cloudTrailDataConstraints: ServiceConstraints = {
  source: 'https://docs.aws.amazon.com/awscloudtraildata/latest/APIReference/',
  members: {
    auditEvents: { items: [1, 100] },
    externalId: { length: [2, 1224], pattern: '^[\\w+=,.@:\\/-]*$' },
    id: uuid,
  },
  structures: {},
};
