import type {
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  Tag,
  TagResourceRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-eventbridge';
import type { Change, StateView } from '../../state/index.ts';
import type { Need } from '../../wire/index.ts';
import { busKey, ruleKey } from '../bus-documents.ts';
import { resourceOfArn, type CalledFrom, type TaggedResource } from '../bus-names.ts';
import { needOnBus, needOnRule, type NeedDetails } from '../bus-needs.ts';
import { nothing, type BusOperation, type Nothing } from '../bus-operation.ts';
import { addTags, requestTags } from '../bus-tags.ts';
import { invalidParameter } from '../faults.ts';
import { readBus, readRule } from '../find-bus.ts';
import { ownersOfBus, ownersOfRule } from '../recorded-resources.ts';

interface OnResource {
  readonly ResourceARN: string;
}

function resourceOf({ ResourceARN }: OnResource): TaggedResource {
  const resource = resourceOfArn(ResourceARN);
  if (resource) return resource;
  throw invalidParameter('ResourceARN', `${ResourceARN} is not the ARN of an event bus or a rule.`);
}

async function tagNeed(
  view: StateView,
  input: OnResource,
  action: string,
  details: NeedDetails = {},
): Promise<readonly Need[]> {
  const resource = resourceOfArn(input.ResourceARN);
  // What is neither a bus nor a rule is refused to those who may ask about anything at all.
  if (!resource) return [{ action: `events:${action}`, resource: input.ResourceARN }];
  return resource.kind === 'bus'
    ? [await needOnBus(view, resource.bus, action, details)]
    : [await needOnRule(view, resource.rule, action, details)];
}

function ownersOf(input: OnResource, call: CalledFrom) {
  const resource = resourceOfArn(input.ResourceARN);
  if (!resource) return [];
  return resource.kind === 'bus' ? ownersOfBus(resource.bus, call) : ownersOfRule(resource.rule, call);
}

/** Throws ResourceNotFoundException. */
async function readTags(view: StateView, resource: TaggedResource): Promise<readonly Tag[]> {
  const document =
    resource.kind === 'bus' ? await readBus(view, resource.bus) : await readRule(view, resource.rule);
  return document.tags;
}

async function changeTags(
  change: Change,
  resource: TaggedResource,
  edit: (tags: readonly Tag[]) => readonly Tag[],
): Promise<void> {
  if (resource.kind === 'bus') {
    const { bus } = resource;
    const document = await readBus(change, bus);
    change.put(busKey(bus.place, bus.name), { ...document, tags: edit(document.tags) });
    return;
  }
  const { bus, name } = resource.rule;
  const document = await readRule(change, resource.rule);
  change.put(ruleKey(bus.place, bus.name, name), { ...document, tags: edit(document.tags) });
}

export const TagResource: BusOperation<TagResourceRequest, Nothing> = {
  access: 'write',
  needs: (input, _, view) => tagNeed(view, input, 'TagResource', requestTags(input.Tags)),
  resources: ownersOf,
  async handle(input, _, change) {
    await changeTags(change, resourceOf(input), (tags) => addTags(tags, input.Tags));
    return nothing;
  },
};

export const UntagResource: BusOperation<UntagResourceRequest, Nothing> = {
  access: 'write',
  needs: (input, _, view) =>
    tagNeed(view, input, 'UntagResource', { conditions: { 'aws:TagKeys': input.TagKeys } }),
  resources: ownersOf,
  async handle(input, _, change) {
    const isKept = ({ Key = '' }: Tag) => !input.TagKeys.includes(Key);
    await changeTags(change, resourceOf(input), (tags) => tags.filter(isKept));
    return nothing;
  },
};

export const ListTagsForResource: BusOperation<ListTagsForResourceRequest, ListTagsForResourceResponse> = {
  access: 'read',
  needs: (input, _, view) => tagNeed(view, input, 'ListTagsForResource'),
  resources: ownersOf,
  async handle(input, _, change) {
    return { Tags: [...(await readTags(change, resourceOf(input)))] };
  },
};
