import type { Clock, Random } from '../../kernel/index.ts';
import { busEventText, defaultBusArn, encodeBusEvent } from '../../journal/index.ts';
import type { Change } from '../../state/index.ts';
import type { Call } from '../../wire/index.ts';
import { bucketArn, type BucketDocument } from './bucket-documents.ts';
import type { ObjectVersion } from './object-documents.ts';
import { orderOf } from './version-chain.ts';

/** Why something happens to an object. */
export type EventCause =
  | { readonly kind: 'call'; readonly call: Pick<Call, 'accountId' | 'requestId' | 'sourceIp'> }
  /** A put of a service, which comes over no wire. `principal` such as `cloudtrail.amazonaws.com`. */
  | { readonly kind: 'service'; readonly principal: string }
  | { readonly kind: 'lifecycle' };

/** The API by which an object is created. */
export type CreatedBy = 'PutObject' | 'CopyObject' | 'CompleteMultipartUpload';

export type DeletionType = 'Permanently Deleted' | 'Delete Marker Created';

/** What happened to an object, in the words of "Using EventBridge". */
export type ObjectEvent =
  | { readonly type: 'Object Created'; readonly reason: CreatedBy; readonly version: ObjectVersion }
  | {
      readonly type: 'Object Deleted';
      readonly deletionType: DeletionType;
      /** Of the version that is gone, or of the marker. */
      readonly versionId: string;
      readonly key: string;
      /** When, epoch milliseconds, and not before anything that happened to the key earlier. */
      readonly order: number;
    }
  | { readonly type: 'Object Tags Added' | 'Object Tags Deleted'; readonly version: ObjectVersion };

/** Puts events about objects on the bus, along with the changes that they tell of. */
export interface ObjectEvents {
  /** Appends the event to the change, where the bucket sends any. */
  tell(change: Pick<Change, 'append'>, bucket: BucketDocument, event: ObjectEvent, cause: EventCause): void;
}

/** Whether a bucket has its events sent to EventBridge: all of them or none. */
export const sendsEvents = ({ notification }: BucketDocument): boolean =>
  notification?.EventBridgeConfiguration !== undefined;

/** The entity tag of nothing, which markers have in events. */
const emptyEtag = 'd41d8cd98f00b204e9800998ecf8427e';

/**
 * Sequencers: seconds and fractions of a second in hexadecimal, each greater than all before it, so that those of one key say
 * which of two events was the later one, "when you compare them lexicographically". Over a restart they grow as the clock and
 * the versions of the key do.
 */
function openSequencer(): (order: number) => string {
  let last = 0n;
  return (order) => {
    const seconds = Math.floor(order / 1000);
    const fraction = Math.floor(((order - seconds * 1000) / 1000) * 0x1_0000_0000);
    const at = (BigInt(seconds) << 32n) + BigInt(fraction);
    last = at > last ? at : last + 1n;
    return last.toString(16).padStart(16, '0');
  };
}

/** Version ids are shown once a bucket has versions, as in answers. */
const shownVersionId = (bucket: BucketDocument, versionId: string) =>
  bucket.versioning === undefined ? {} : { 'version-id': versionId };

/** Of objects that were deleted for good nothing else is left; sizes and sequencers are of puts and deletes. */
function shownObject(
  bucket: BucketDocument,
  event: ObjectEvent,
  sequencerAt: (order: number) => string,
): object {
  switch (event.type) {
    case 'Object Created': {
      const { key, sizeBytes: size, etag, versionId } = event.version;
      return {
        key,
        size,
        etag,
        ...shownVersionId(bucket, versionId),
        sequencer: sequencerAt(orderOf(event.version)),
        // Objects have no annotations here.
        ...(event.reason === 'CopyObject' && { 'has-object-annotation': false }),
      };
    }
    case 'Object Deleted': {
      const { key, versionId, deletionType, order } = event;
      return {
        key,
        ...(deletionType === 'Delete Marker Created' && { etag: emptyEtag }),
        ...shownVersionId(bucket, versionId),
        sequencer: sequencerAt(order),
      };
    }
    case 'Object Tags Added':
    case 'Object Tags Deleted': {
      const { key, etag, versionId } = event.version;
      return { key, etag, ...shownVersionId(bucket, versionId) };
    }
  }
}

function shownReason(event: ObjectEvent, cause: EventCause): object {
  switch (event.type) {
    case 'Object Created':
      return { reason: event.reason };
    case 'Object Deleted':
      return {
        reason: cause.kind === 'lifecycle' ? 'Lifecycle Expiration' : 'DeleteObject',
        'deletion-type': event.deletionType,
      };
    case 'Object Tags Added':
    case 'Object Tags Deleted':
      return {};
  }
}

/** Opens events of objects. */
export function openObjectEvents({
  clock,
  random,
}: {
  readonly clock: Clock;
  readonly random: Random;
}): ObjectEvents {
  const sequencerAt = openSequencer();

  const requester = (cause: EventCause): object => {
    if (cause.kind === 'call') {
      const { accountId, requestId, sourceIp } = cause.call;
      return { 'request-id': requestId, requester: accountId, 'source-ip-address': sourceIp };
    }
    return {
      'request-id': random.uuid(),
      requester: cause.kind === 'service' ? cause.principal : 's3.amazonaws.com',
    };
  };

  return {
    /** As "EventBridge event message structure" of the S3 user guide has them. */
    tell(change, bucket, event, cause) {
      if (!sendsEvents(bucket)) return;
      const detail = {
        version: '0',
        'event-version': '1.1',
        bucket: { name: bucket.name },
        object: shownObject(bucket, event, sequencerAt),
        ...requester(cause),
        ...shownReason(event, cause),
      };
      const { accountId: account, region } = bucket;
      const text = busEventText({
        id: random.uuid(),
        detailType: event.type,
        source: 'aws.s3',
        account,
        region,
        time: clock.now(),
        resources: [bucketArn(bucket.name)],
        detail: JSON.stringify(detail),
      });
      change.append(encodeBusEvent(defaultBusArn(account, region), text));
    },
  };
}
