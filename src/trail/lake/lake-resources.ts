import type { Tag } from '@aws-sdk/client-cloudtrail';
import type { Change, StateView } from '../../state/index.ts';
import type { OtherResource, OtherResources } from '../trails/other-resources.ts';
import type { TagDocument } from '../trails/tags.ts';
import { channelKey } from './channel-documents.ts';
import { dashboardKey } from './dashboards/dashboard-documents.ts';
import { everythingId, storeArn, storeKey } from './store-documents.ts';

interface TaggedDocument {
  readonly arn: string;
  readonly tags?: readonly TagDocument[];
}

function taggedBy(keyOf: (accountId: string, id: string, region: string) => string): OtherResource {
  const find = async (view: StateView, arn: string) => {
    const [, , , region = '', accountId = '', resource = ''] = arn.split(':');
    const key = keyOf(accountId, resource.split('/')[1] ?? '', region);
    const value = (await view.get<TaggedDocument>(key))?.value;
    return value?.arn === arn ? { key, value } : undefined;
  };
  return {
    async readTags(view, arn) {
      const found = await find(view, arn);
      return found && (found.value.tags ?? []);
    },
    async writeTags(change: Change, arn: string, tags: readonly Tag[]) {
      const found = await find(change, arn);
      if (found) change.put(found.key, { ...found.value, tags });
    },
  };
}

/** Event data stores, channels and dashboards, for the operations on tags and resource policies. */
export const lakeResources: OtherResources = {
  eventdatastore: {
    ...taggedBy(storeKey),
    isAlwaysThere: (arn, { accountId, region }) => arn === storeArn(accountId, region, everythingId),
  },
  channel: taggedBy(channelKey),
  dashboard: taggedBy((accountId, name, region) => dashboardKey(accountId, region, name)),
};
