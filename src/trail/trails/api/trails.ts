import type {
  CreateTrailRequest,
  CreateTrailResponse,
  DeleteTrailRequest,
  DescribeTrailsRequest,
  DescribeTrailsResponse,
  GetTrailRequest,
  GetTrailResponse,
  ListTrailsRequest,
  ListTrailsResponse,
  UpdateTrailRequest,
  UpdateTrailResponse,
} from '@aws-sdk/client-cloudtrail';
import { AwsFault } from '../../../kernel/index.ts';
import type { StateView } from '../../../state/index.ts';
import type { Call } from '../../../wire/index.ts';
import { deliveryKey, newDelivery } from '../../delivery/delivery-documents.ts';
import { endTrail } from '../ended-trails.ts';
import { checkDestination, checkTopic } from '../destination.ts';
import { lookUpTrail, readOwnTrail, readTrail } from '../find-trail.ts';
import { trailAnswer, trailShown } from '../shown-trail.ts';
import { addTags, requestTags } from '../tags.ts';
import { readTrails, trailId, trailKey, type TrailDocument } from '../trail-documents.ts';
import { checkTrailName, trailArn } from '../trail-names.ts';
import {
  nothing,
  type Given,
  type Nothing,
  type TrailOperation,
  type TrailParts,
} from '../trail-operation.ts';
import { onTrail } from './trail-need.ts';

const mostTrails = 5;
const incarnationLetters = 'abcdefghijklmnopqrstuvwxyz0123456789';

function invalidCombination(message: string): AwsFault {
  return new AwsFault('InvalidParameterCombinationException', message);
}

/** What Cairn does not do is refused with the fault that CloudTrail has for it, not passed over. */
function refuseUnsupported(input: Given<Omit<CreateTrailRequest, 'Name' | 'S3BucketName'>>): void {
  if (input.IsOrganizationTrail) {
    throw new AwsFault(
      'OrganizationsNotInUseException',
      'This account is not a member of an organization; a trail cannot be an organization trail.',
    );
  }
  if (input.RecursiveLogging) {
    throw new AwsFault(
      'UnsupportedOperationException',
      'RecursiveLogging cannot be true: what CloudTrail does to deliver log files is not logged.',
    );
  }
  if (input.CloudWatchLogsLogGroupArn) {
    throw new AwsFault(
      'InvalidCloudWatchLogsLogGroupArnException',
      `The CloudWatch Logs log group does not exist: ${input.CloudWatchLogsLogGroupArn}`,
    );
  }
  if (input.CloudWatchLogsRoleArn) {
    throw invalidCombination('CloudWatchLogsRoleArn goes together with CloudWatchLogsLogGroupArn.');
  }
}

function checkScope(isMultiRegion: boolean, includeGlobalServiceEvents: boolean): void {
  if (isMultiRegion && !includeGlobalServiceEvents) {
    throw invalidCombination('Multi-Region trail must include global service events.');
  }
}

/** Whether a trail, or the shadow of one, stands in a region. */
function standsIn({ isMultiRegion, homeRegion }: TrailDocument, region: string): boolean {
  return isMultiRegion || homeRegion === region;
}

/**
 * A trail takes one of five places in its home region, and, with its shadows, in every other one when it is for all
 * regions; its name is taken there as well.
 */
async function checkPlace(view: StateView, trail: TrailDocument): Promise<void> {
  const others = (await readTrails(view, trail.accountId)).filter(({ arn }) => arn !== trail.arn);
  const regions = trail.isMultiRegion
    ? new Set([trail.homeRegion, ...others.map(({ homeRegion }) => homeRegion)])
    : [trail.homeRegion];
  for (const region of regions) {
    const there = others.filter((other) => standsIn(other, region));
    if (there.some(({ name }) => name === trail.name)) {
      const message = `Trail ${trail.name} already exists for customer: ${trail.accountId}`;
      throw new AwsFault('TrailAlreadyExistsException', message);
    }
    if (there.length >= mostTrails) {
      const message = `User: ${trail.accountId} already has ${there.length} trails in ${region}.`;
      throw new AwsFault('MaximumNumberOfTrailsExceededException', message);
    }
  }
}

export const CreateTrail: TrailOperation<CreateTrailRequest, CreateTrailResponse> = {
  access: 'write',
  needs(input, call) {
    const create = { ...onTrail('CreateTrail', input.Name, call), ...requestTags(input.TagsList) };
    return input.TagsList?.length ? [create, { ...create, action: 'cloudtrail:AddTags' }] : [create];
  },
  async handle(input, call, change, parts) {
    checkTrailName(input.Name);
    refuseUnsupported(input);
    const { IsMultiRegionTrail = false, IncludeGlobalServiceEvents = true } = input;
    checkScope(IsMultiRegionTrail, IncludeGlobalServiceEvents);
    const as = {
      arn: trailArn(call.accountId, call.region, input.Name),
      accountId: call.accountId,
      region: call.region,
    };
    const key = trailKey(as.accountId, as.region, input.Name);
    if (await change.get(key)) {
      const message = `Trail ${input.Name} already exists for customer: ${call.accountId}`;
      throw new AwsFault('TrailAlreadyExistsException', message);
    }
    const wanted = { bucket: input.S3BucketName, prefix: input.S3KeyPrefix, kmsKeyId: input.KmsKeyId };
    const destination = await checkDestination(parts, wanted, as, call.time);
    const trail: TrailDocument = {
      name: input.Name,
      arn: as.arn,
      incarnation: parts.random.text(12, incarnationLetters),
      accountId: as.accountId,
      homeRegion: as.region,
      ...destination,
      ...(input.SnsTopicName && { snsTopicArn: await checkTopic(parts, input.SnsTopicName, as) }),
      includeGlobalServiceEvents: IncludeGlobalServiceEvents,
      isMultiRegion: IsMultiRegionTrail,
      logFileValidation: input.EnableLogFileValidation ?? false,
      isLogging: false,
      createdAt: call.time,
      tags: addTags([], input.TagsList, as.arn),
    };
    await checkPlace(change, trail);
    change.put(key, trail);
    change.put(deliveryKey(trailId(trail)), newDelivery(trail));
    return trailAnswer(trail);
  },
};

/** The destination after an update: what is given wins, and empty text takes away. */
async function updatedDestination(
  trail: TrailDocument,
  input: UpdateTrailRequest,
  call: Call,
  parts: TrailParts,
): Promise<TrailDocument> {
  const as = { arn: trail.arn, accountId: trail.accountId, region: trail.homeRegion };
  const { bucket, prefix: oldPrefix, kmsKeyArn: oldKey, snsTopicArn: oldTopic, ...rest } = trail;
  const wanted = {
    bucket: input.S3BucketName ?? bucket,
    prefix: input.S3KeyPrefix ?? oldPrefix,
    kmsKeyId: input.KmsKeyId ?? oldKey,
  };
  const destination = await checkDestination(parts, wanted, as, call.time);
  const topic = input.SnsTopicName ? await checkTopic(parts, input.SnsTopicName, as) : undefined;
  const snsTopicArn = input.SnsTopicName === undefined ? oldTopic : topic;
  return { ...rest, ...destination, ...(snsTopicArn !== undefined && { snsTopicArn }) };
}

export const UpdateTrail: TrailOperation<UpdateTrailRequest, UpdateTrailResponse> = {
  access: 'write',
  needs: (input, call) => [onTrail('UpdateTrail', input.Name, call)],
  async handle(input, call, change, parts) {
    const old = await readOwnTrail(change, input.Name, call);
    refuseUnsupported(input);
    const trail: TrailDocument = {
      ...(await updatedDestination(old, input, call, parts)),
      includeGlobalServiceEvents: input.IncludeGlobalServiceEvents ?? old.includeGlobalServiceEvents,
      isMultiRegion: input.IsMultiRegionTrail ?? old.isMultiRegion,
      logFileValidation: input.EnableLogFileValidation ?? old.logFileValidation,
    };
    checkScope(trail.isMultiRegion, trail.includeGlobalServiceEvents);
    if (trail.isMultiRegion && !old.isMultiRegion) await checkPlace(change, trail);
    change.put(trailKey(trail.accountId, trail.homeRegion, trail.name), trail);
    return trailAnswer(trail);
  },
};

export const DeleteTrail: TrailOperation<DeleteTrailRequest, Nothing> = {
  access: 'write',
  needs: (input, call) => [onTrail('DeleteTrail', input.Name, call)],
  async handle(input, call, change) {
    const trail = await readOwnTrail(change, input.Name, call);
    endTrail(change, trail, call.time);
    return nothing;
  },
};

export const GetTrail: TrailOperation<GetTrailRequest, GetTrailResponse> = {
  access: 'read',
  needs: (input, call) => [onTrail('GetTrail', input.Name, call)],
  handle: async (input, call, change) => ({ Trail: trailShown(await readTrail(change, input.Name, call)) }),
};

export const DescribeTrails: TrailOperation<DescribeTrailsRequest, DescribeTrailsResponse> = {
  access: 'read',
  needs: () => [{ action: 'cloudtrail:DescribeTrails', resource: '*' }],
  async handle({ trailNameList = [], includeShadowTrails = true }, call, change) {
    const isShown = (trail: TrailDocument) => includeShadowTrails || trail.homeRegion === call.region;
    if (trailNameList.length > 0) {
      const named = await Promise.all(trailNameList.map((one) => lookUpTrail(change, one, call)));
      return { trailList: named.flatMap((trail) => (trail && isShown(trail) ? [trailShown(trail)] : [])) };
    }
    const trails = await readTrails(change, call.accountId);
    const here = trails.filter((trail) => standsIn(trail, call.region));
    return { trailList: here.filter(isShown).map(trailShown) };
  },
};

export const ListTrails: TrailOperation<ListTrailsRequest, ListTrailsResponse> = {
  access: 'read',
  needs: () => [{ action: 'cloudtrail:ListTrails', resource: '*' }],
  async handle({ NextToken }, call, change) {
    // All trails fit into one page, so no token was ever given out.
    if (NextToken) throw new AwsFault('InvalidNextTokenException', `Unknown token: ${NextToken}`);
    const trails = await readTrails(change, call.accountId);
    return {
      Trails: trails.map(({ arn, name, homeRegion }) => ({
        TrailARN: arn,
        Name: name,
        HomeRegion: homeRegion,
      })),
    };
  },
};
