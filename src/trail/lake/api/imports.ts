import type * as CloudTrail from '@aws-sdk/client-cloudtrail';
import { AwsFault } from '../../../kernel/index.ts';
import type { Change, StateView } from '../../../state/index.ts';
import type { Call } from '../../../wire/index.ts';
import { refusedBucket, type Buckets } from '../../buckets.ts';
import {
  failuresPrefix,
  importKey,
  importsPrefix,
  readImports,
  type ImportDocument,
  type ImportFailureDocument,
} from '../imports/import-documents.ts';
import { retried } from '../imports/retry-import.ts';
import { everythingId, readStore, storeArn, storeIdOf } from '../store-documents.ts';
import { onStore } from './event-data-stores.ts';
import { invalidParameter, pageOf, unsupported } from './lake-operation.ts';
import type { Given, LakeOperation, LakeOperationParts } from './lake-operation.ts';

/** The bucket and prefix of `s3://BUCKET/PREFIX`, or of the HTTPS address that the console shows. */
function locationOf(uri: string): { readonly bucket: string; readonly prefix: string } {
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(uri) ?? [];
  if (bucket === undefined) {
    const message = `S3LocationUri takes s3://BUCKET/PREFIX, not ${uri}.`;
    throw new AwsFault('InvalidImportSourceException', message);
  }
  return { bucket, prefix };
}

async function findImport(view: StateView, importId: string, call: Call): Promise<ImportDocument> {
  const found = (await view.get<ImportDocument>(importKey(call.accountId, importId)))?.value;
  if (!found || found.region !== call.region)
    throw new AwsFault(
      'ImportNotFoundException',
      `There is no import ${importId} in this account and region.`,
    );
  return found;
}

function shown(document: ImportDocument) {
  return {
    ImportId: document.importId,
    Destinations: [document.destination],
    ImportSource: {
      S3: {
        S3LocationUri: document.source.uri,
        S3BucketRegion: document.source.region,
        S3BucketAccessRoleArn: document.source.roleArn,
      },
    },
    ...(document.startEventTime !== undefined && { StartEventTime: new Date(document.startEventTime) }),
    ...(document.endEventTime !== undefined && { EndEventTime: new Date(document.endEventTime) }),
    ImportStatus: document.status,
    CreatedTimestamp: new Date(document.createdAt),
    UpdatedTimestamp: new Date(document.updatedAt),
  };
}

function statistics({ prefixes, files, events, failed, status }: ImportDocument) {
  return {
    ImportStatistics: {
      PrefixesFound: prefixes.length,
      PrefixesCompleted: status === 'IN_PROGRESS' ? Math.max(0, prefixes.length - 1) : prefixes.length,
      FilesCompleted: files,
      EventsCompleted: events,
      FailedEntries: failed,
    },
  };
}

const onImport = (operation: string) => (_input: unknown, call: Call) => [
  { action: `cloudtrail:${operation}`, resource: storeArn(call.accountId, call.region, '*') },
];

async function destinationOf(named: string, call: Call, view: StateView): Promise<string> {
  if (storeIdOf(named, call) === everythingId) return storeArn(call.accountId, call.region, everythingId);
  const store = await readStore(view, named, call);
  if (store.deletedAt !== undefined)
    throw new AwsFault(
      'InactiveEventDataStoreException',
      `The event data store ${store.arn} is pending deletion.`,
    );
  return store.arn;
}

function newImport(
  input: Given<CloudTrail.StartImportRequest>,
  destination: string,
  call: Call,
  importId: string,
): ImportDocument {
  const {
    S3LocationUri = '',
    S3BucketRegion = '',
    S3BucketAccessRoleArn = '',
  } = input.ImportSource?.S3 ?? {};
  return {
    importId,
    accountId: call.accountId,
    region: call.region,
    destination,
    ...locationOf(S3LocationUri),
    source: { uri: S3LocationUri, region: S3BucketRegion, roleArn: S3BucketAccessRoleArn },
    ...(input.StartEventTime && { startEventTime: input.StartEventTime.getTime() }),
    ...(input.EndEventTime && { endEventTime: input.EndEventTime.getTime() }),
    status: 'IN_PROGRESS',
    createdAt: call.time,
    updatedAt: call.time,
    prefixes: [],
    files: 0,
    events: 0,
    failed: 0,
  };
}

async function restart(importId: string, call: Call, change: Change): Promise<ImportDocument> {
  const old = await findImport(change, importId, call);
  if (old.status === 'IN_PROGRESS' || (old.status === 'COMPLETED' && old.failed === 0))
    throw invalidParameter(
      `The import ${importId} is ${old.status}; only one that was stopped, or of which something failed, can be started again.`,
    );
  await destinationOf(old.destination, call, change);
  return retried(change, old, call.time);
}

/** A bucket on an outside endpoint is read with the operator's credentials, for the accounts that the operator says. */
async function checkSource(bucket: string, { accountId }: Call, buckets: Buckets): Promise<void> {
  const facts = await buckets.find(bucket, accountId);
  if (facts === undefined)
    throw new AwsFault('InvalidImportSourceException', `There is no bucket ${bucket}.`);
  if (facts === 'refused') {
    throw new AwsFault('InvalidImportSourceException', refusedBucket(bucket, accountId));
  }
}

/**
 * StartImport: log files of a bucket into the journal, and so into the history and the event data store. Records of other
 * accounts than the caller's are left out, unless the caller is of the management account. With ImportId alone it retries
 * an import: files that failed are read again, and what a stop or a failure left over follows.
 */
export const StartImport: LakeOperation<CloudTrail.StartImportRequest, CloudTrail.StartImportResponse> = {
  access: 'write',
  needs: async (input, call, { state }) => [
    await onStore('StartImport', input.Destinations?.[0] ?? '*', call, state),
  ],
  async handle(input, call, change, parts: LakeOperationParts) {
    if (!parts.buckets) throw unsupported('There is no S3 to import from.');
    const isRestart = input.ImportId !== undefined;
    if (isRestart && (input.Destinations || input.ImportSource))
      throw invalidParameter('ImportId goes without Destinations and ImportSource.');
    const [named] = input.Destinations ?? [];
    if (!isRestart && (named === undefined || !input.ImportSource))
      throw invalidParameter('Destinations and ImportSource are missing.');
    if (input.StartEventTime && input.EndEventTime && input.StartEventTime > input.EndEventTime)
      throw invalidParameter('StartEventTime is after EndEventTime.');
    const document =
      input.ImportId === undefined
        ? newImport(input, await destinationOf(named ?? '', call, change), call, parts.random.uuid())
        : await restart(input.ImportId, call, change);
    await checkSource(document.bucket, call, parts.buckets);
    const others = await parts.state.list<ImportDocument>(`${importsPrefix}${call.accountId}/`);
    if (others.some(({ value }) => value.status === 'IN_PROGRESS'))
      throw new AwsFault(
        'AccountHasOngoingImportException',
        'An import of the account is under way; wait for it or stop it.',
      );
    change.put(importKey(call.accountId, document.importId), document);
    return shown(document);
  },
};

export const GetImport: LakeOperation<CloudTrail.GetImportRequest, CloudTrail.GetImportResponse> = {
  access: 'read',
  needs: onImport('GetImport'),
  async handle(input, call, change) {
    const document = await findImport(change, input.ImportId, call);
    return { ...shown(document), ...statistics(document) };
  },
};

export const ListImports: LakeOperation<CloudTrail.ListImportsRequest, CloudTrail.ListImportsResponse> = {
  access: 'read',
  needs: onImport('ListImports'),
  async handle(input, call, change) {
    const id = input.Destination === undefined ? undefined : storeIdOf(input.Destination, call);
    const all = (await readImports(change, call.accountId))
      .filter(({ region }) => region === call.region)
      .filter(({ destination }) => id === undefined || destination.endsWith(`/${id}`))
      .filter(({ status }) => input.ImportStatus === undefined || status === input.ImportStatus);
    const scope = ['ListImports', call.accountId, call.region, id, input.ImportStatus];
    const { items, ...more } = pageOf(all, scope, input);
    return {
      Imports: items.map((document) => ({
        ImportId: document.importId,
        ImportStatus: document.status,
        Destinations: [document.destination],
        CreatedTimestamp: new Date(document.createdAt),
        UpdatedTimestamp: new Date(document.updatedAt),
      })),
      ...more,
    };
  },
};

export const ListImportFailures: LakeOperation<
  CloudTrail.ListImportFailuresRequest,
  CloudTrail.ListImportFailuresResponse
> = {
  access: 'read',
  needs: onImport('ListImportFailures'),
  async handle(input, call, change) {
    const document = await findImport(change, input.ImportId, call);
    const found = await change.list<ImportFailureDocument>(failuresPrefix(call.accountId, document.importId));
    const { items, ...more } = pageOf(found, ['ListImportFailures', document.importId], input);
    return {
      Failures: items.map(({ value }) => ({
        Location: value.location,
        Status: value.status ?? 'FAILED',
        ErrorType: value.errorType,
        ErrorMessage: value.message,
        LastUpdatedTime: new Date(value.time),
      })),
      ...more,
    };
  },
};

export const StopImport: LakeOperation<CloudTrail.StopImportRequest, CloudTrail.StopImportResponse> = {
  access: 'write',
  needs: onImport('StopImport'),
  async handle(input, call, change, { imports }) {
    await findImport(change, input.ImportId, call);
    await imports.stop(input.ImportId);
    const { value: document } =
      (await change.get<ImportDocument>(importKey(call.accountId, input.ImportId))) ?? {};
    if (document?.status !== 'IN_PROGRESS')
      throw invalidParameter(`The import ${input.ImportId} has ended already.`);
    const stopped: ImportDocument = { ...document, status: 'STOPPED', updatedAt: call.time };
    change.put(importKey(call.accountId, input.ImportId), stopped);
    return { ...shown(stopped), ...statistics(stopped) };
  },
};
