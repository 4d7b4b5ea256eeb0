import type { LookupEventsRequest } from '@aws-sdk/client-cloudtrail';
import type { Call, Operations, Undecoded } from '../../wire/index.ts';
import type { Change, StateView } from '../../state/index.ts';
import type { History } from '../history/index.ts';
import { findChannelArn } from '../lake/index.ts';
import type { EventPreparer } from '../ingest/event-preparer.ts';
import { channelArnOf, channelOwnerOf, type PutAuditEventsInput } from '../ingest/prepare-input.ts';
import type { PutAuditEventsResponse } from '../ingest/prepared-events.ts';
import { resourcePolicyNeed } from '../trails/other-resources.ts';
import { LookupEvents } from './lookup-events.ts';
import { PutAuditEvents } from './put-audit-events.ts';

/** The operations of `cloudtrail` that are present. */
export function openCloudTrail({ history }: { readonly history: History }): Operations<Change> {
  return {
    LookupEvents: {
      access: 'read',
      handle: (input: LookupEventsRequest, call: Call) => LookupEvents(history, input, call),
    },
  };
}

/** The operations of `cloudtrail-data` that are present. */
export function openCloudTrailData({
  preparer,
  state,
}: {
  readonly preparer: EventPreparer;
  readonly state: StateView;
}): Operations<Change> {
  return {
    PutAuditEvents: {
      access: 'write',
      // CloudTrail logs PutAuditEvents on a channel as a data event of type AWS::CloudTrail::Channel.
      category: 'data',
      decode: (undecoded: Undecoded, call: Call) => preparer.prepare(undecoded, call),
      async needs(input: PutAuditEventsInput, call: Call) {
        const resource = channelArnOf(input.channelArn, call);
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
      resources: (input: PutAuditEventsInput, _output: unknown, call: Call) => [
        {
          accountId: channelOwnerOf(input.channelArn, call),
          type: 'AWS::CloudTrail::Channel',
          ARN: channelArnOf(input.channelArn, call),
        },
      ],
      // The events stand in the journal themselves; the record of the call says how many were taken.
      recorded: (input: PutAuditEventsInput, output: PutAuditEventsResponse | undefined) => ({
        requestParameters: {
          channelArn: input.channelArn,
          ...(input.externalId !== undefined && { externalId: input.externalId }),
          auditEventCount: input.events.count,
        },
        responseElements: output && { successfulCount: output.successful.length, failed: output.failed },
      }),
      handle: async (input: PutAuditEventsInput, call: Call, change: Change) =>
        PutAuditEvents(
          input,
          call,
          change,
          await findChannelArn(change, channelArnOf(input.channelArn, call), {
            accountId: channelOwnerOf(input.channelArn, call),
            region: call.region,
          }),
        ),
    },
  };
}
