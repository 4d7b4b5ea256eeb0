import type {
  AddTagsRequest,
  ListTagsRequest,
  ListTagsResponse,
  RemoveTagsRequest,
  Tag,
} from '@aws-sdk/client-cloudtrail';
import { AwsFault, parseArn } from '../../../kernel/index.ts';
import type { Change } from '../../../state/index.ts';
import type { Call } from '../../../wire/index.ts';
import { readOwnTrail, readTrail } from '../find-trail.ts';
import { notFoundCodes, type OtherResource, type OtherResourceType } from '../other-resources.ts';
import { addTags, removeTags, requestTags } from '../tags.ts';
import { trailKey } from '../trail-documents.ts';
import { invalidArn } from '../trail-names.ts';
import { nothing, type Nothing, type TrailOperation, type TrailParts } from '../trail-operation.ts';

const mostResources = 20;

const typeOf = (arn: string): string => parseArn(arn)?.resource.split('/')[0] ?? '';

function isOtherType(type: string): type is OtherResourceType {
  return Object.hasOwn(notFoundCodes, type);
}

function notFound(type: OtherResourceType, arn: string): AwsFault {
  return new AwsFault(notFoundCodes[type], `There is no resource ${arn}.`);
}

/** The resource of the caller's account that an ARN names, with its tags. */
interface Tagged {
  readonly tags: readonly Tag[];
  write(tags: readonly Tag[]): Promise<void>;
}

async function otherTagged(
  change: Change,
  { kind, type, arn }: { kind: OtherResource | undefined; type: OtherResourceType; arn: string },
): Promise<Tagged> {
  const tags = await kind?.readTags(change, arn);
  if (!kind || !tags) throw notFound(type, arn);
  return { tags, write: (next) => kind.writeTags(change, arn, next) };
}

async function readTagged(
  change: Change,
  arn: string,
  call: Call,
  parts: TrailParts,
  access: 'read' | 'write',
): Promise<Tagged> {
  const type = typeOf(arn);
  const parsed = parseArn(arn);
  if (!arn.startsWith('arn:') || parsed?.service !== 'cloudtrail') throw invalidArn(arn);
  if (isOtherType(type)) {
    if (parsed.accountId !== call.accountId) throw notFound(type, arn);
    return otherTagged(change, { kind: parts.others[type], type, arn });
  }
  if (type !== 'trail') {
    throw new AwsFault('ResourceTypeNotSupportedException', `Resources of type ${type} have no tags.`);
  }
  const trail = await (access === 'write' ? readOwnTrail : readTrail)(change, arn, call);
  return {
    tags: trail.tags ?? [],
    async write(tags) {
      change.put(trailKey(trail.accountId, trail.homeRegion, trail.name), { ...trail, tags });
    },
  };
}

export const AddTags: TrailOperation<AddTagsRequest, Nothing> = {
  access: 'write',
  needs: (input) => [
    { action: 'cloudtrail:AddTags', resource: input.ResourceId, ...requestTags(input.TagsList) },
  ],
  async handle(input, call, change, parts) {
    const tagged = await readTagged(change, input.ResourceId, call, parts, 'write');
    await tagged.write(addTags(tagged.tags, input.TagsList, input.ResourceId));
    return nothing;
  },
};

export const RemoveTags: TrailOperation<RemoveTagsRequest, Nothing> = {
  access: 'write',
  needs: (input) => [
    {
      action: 'cloudtrail:RemoveTags',
      resource: input.ResourceId,
      conditions: { 'aws:TagKeys': input.TagsList.flatMap(({ Key }) => Key ?? []) },
    },
  ],
  async handle(input, call, change, parts) {
    const tagged = await readTagged(change, input.ResourceId, call, parts, 'write');
    await tagged.write(removeTags(tagged.tags, input.TagsList));
    return nothing;
  },
};

export const ListTags: TrailOperation<ListTagsRequest, ListTagsResponse> = {
  access: 'read',
  needs: (input) => input.ResourceIdList.map((resource) => ({ action: 'cloudtrail:ListTags', resource })),
  async handle(input, call, change, parts) {
    if (input.NextToken) throw new AwsFault('InvalidTokenException', `Unknown token: ${input.NextToken}`);
    if (input.ResourceIdList.length > mostResources) {
      const message = `ResourceIdList has ${input.ResourceIdList.length} ARNs; it can have ${mostResources}.`;
      throw new AwsFault('ValidationException', message);
    }
    const ResourceTagList = [];
    for (const arn of input.ResourceIdList) {
      const { tags } = await readTagged(change, arn, call, parts, 'read');
      ResourceTagList.push({ ResourceId: arn, TagsList: [...tags] });
    }
    return { ResourceTagList };
  },
};
