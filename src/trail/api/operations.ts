import type { LookupEventsRequest } from '@aws-sdk/client-cloudtrail';
import type { Clock } from '../../kernel/index.ts';
import type { Call, Operations } from '../../wire/index.ts';
import type { StateView } from '../../state/index.ts';
import type { History } from '../history/index.ts';
import { findChannelArn } from '../lake/index.ts';
import type { AuditedChange } from '../recording/audited-change.ts';
import { resourcePolicyNeed } from '../trails/other-resources.ts';
import { LookupEvents } from './lookup-events.ts';
import {
  defaultChannelArn,
  defaultChannelId,
  PutAuditEvents,
  type PutAuditEventsRequest,
  type PutAuditEventsResponse,
} from './put-audit-events.ts';

/** The operations of `cloudtrail` that are present. */
export function openCloudTrail({ history }: { readonly history: History }): Operations<AuditedChange> {
  return {
    LookupEvents: {
      access: 'read',
      handle: (input: LookupEventsRequest, call: Call) => LookupEvents(history, input, call),
    },
  };
}

function channelArnOf({ channelArn }: PutAuditEventsRequest, call: Call): string {
  if (channelArn.startsWith('arn:')) return channelArn;
  return defaultChannelArn(call.accountId, call.region).replace(defaultChannelId, channelArn);
}

/** The operations of `cloudtrail-data` that are present. */
export function openCloudTrailData({
  clock,
  state,
}: {
  readonly clock: Clock;
  readonly state: StateView;
}): Operations<AuditedChange> {
  return {
    PutAuditEvents: {
      access: 'write',
      // CloudTrail logs PutAuditEvents on a channel as a data event of type AWS::CloudTrail::Channel.
      category: 'data',
      async needs(input: PutAuditEventsRequest, call: Call) {
        const resource = channelArnOf(input, call);
        const { externalId } = input;
        return [
          {
            action: 'cloudtrail-data:PutAuditEvents',
            resource,
            ...(externalId !== undefined && { conditions: { 'cloudtrail:ExternalId': [externalId] } }),
            ...(await resourcePolicyNeed(state, resource)),
          },
        ];
      },
      resources: (input: PutAuditEventsRequest, _output: unknown, call: Call) => [
        {
          accountId: call.accountId,
          type: 'AWS::CloudTrail::Channel',
          ARN: channelArnOf(input, call),
        },
      ],
      // The events stand in the journal themselves; the record of the call says how many were taken.
      recorded: (input: PutAuditEventsRequest, output: PutAuditEventsResponse | undefined) => ({
        requestParameters: {
          channelArn: input.channelArn,
          ...(input.externalId !== undefined && { externalId: input.externalId }),
          auditEventCount: input.auditEvents.length,
        },
        responseElements: output && { successfulCount: output.successful.length, failed: output.failed },
      }),
      handle: async (input: PutAuditEventsRequest, call: Call, change: AuditedChange) =>
        PutAuditEvents(
          clock,
          input,
          call,
          change,
          await findChannelArn(change, channelArnOf(input, call), call),
        ),
    },
  };
}
