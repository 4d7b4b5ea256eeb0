import type { Call, Need } from '../../wire/index.ts';
import type { BucketDocument } from './bucket-documents.ts';
import { calledBucket, onBucket, onObject, type BucketInput, type Conditions } from './needs.ts';
import { tagsOfHeader } from './object-facts.ts';
import { legalHoldStatus } from './object-lock.ts';
import type { ObjectTag, StoredVersion } from './object-documents.ts';
import type { S3Parts } from './operation.ts';
import { findUpload } from './uploads.ts';
import { findVersion } from './version-chain.ts';

/** What every input about an object has. */
export interface ObjectInput extends BucketInput {
  readonly Key: string;
  readonly VersionId?: string | undefined;
}

const tagConditions = (name: string, tags: readonly ObjectTag[] | undefined): Conditions =>
  Object.fromEntries((tags ?? []).map(({ Key, Value }) => [`s3:${name}/${Key}`, [Value]]));

function versionConditions(input: ObjectInput): Conditions {
  return input.VersionId === undefined ? {} : { 's3:versionid': [input.VersionId] };
}

/** `s3:GetObject`, or `s3:GetObjectVersion` where the request names a version; likewise for the other actions. */
function actionFor(action: string, input: ObjectInput): string {
  if (input.VersionId === undefined) return action;
  return action.replace(/^(s3:(?:Get|Put|Delete)Object)/, '$1Version');
}

const existingTags = (version: StoredVersion | undefined): Conditions =>
  tagConditions('ExistingObjectTag', version?.kind === 'object' ? version.tags : undefined);

/**
 * Needs on an object that is there already: the actions are named without `Version`. Whether the object exists is told
 * only to those who may list the bucket ("GetObject", Permissions): for all others it is AccessDenied.
 */
export async function onExistingObject(
  actions: readonly string[],
  input: ObjectInput,
  call: Call,
  parts: Pick<S3Parts, 'state'>,
): Promise<readonly Need[]> {
  const bucket = await calledBucket(input, parts.state);
  const version = await findVersion(parts.state, bucket.name, input.Key, input.VersionId);
  const conditions = { ...versionConditions(input), ...existingTags(version) };
  const needs = actions.map((action) =>
    onObject(actionFor(action, input), bucket, input.Key, call, conditions),
  );
  if (version?.kind === 'object') return needs;
  const listing = input.VersionId === undefined ? 's3:ListBucket' : 's3:ListBucketVersions';
  return [...needs, onBucket(listing, bucket, call)];
}

interface NewObjectInput {
  readonly ACL?: string | undefined;
  readonly StorageClass?: string | undefined;
  readonly ServerSideEncryption?: string | undefined;
  readonly SSEKMSKeyId?: string | undefined;
  readonly Tagging?: string | undefined;
  readonly ObjectLockMode?: string | undefined;
  readonly ObjectLockRetainUntilDate?: Date | undefined;
  readonly ObjectLockLegalHoldStatus?: string | undefined;
  readonly WebsiteRedirectLocation?: string | undefined;
  readonly IfMatch?: string | undefined;
  readonly IfNoneMatch?: string | undefined;
}

const given = (name: string, value: string | undefined): Conditions =>
  value === undefined ? {} : { [name]: [value] };

export function retentionConditions(
  mode: string | undefined,
  until: Date | undefined,
  nowMs: number,
): Conditions {
  const days = until && Math.ceil((until.getTime() - nowMs) / 86_400_000);
  return {
    ...given('s3:object-lock-mode', mode),
    ...given('s3:object-lock-retain-until-date', until?.toISOString()),
    ...given('s3:object-lock-remaining-retention-days', days === undefined ? undefined : String(days)),
  };
}

/** What a policy may ask of tags that a request gives. */
export const requestedTags = (tags: readonly ObjectTag[] | undefined): Conditions => ({
  ...tagConditions('RequestObjectTag', tags),
  ...(tags && { 's3:RequestObjectTagKeys': tags.map(({ Key }) => Key) }),
});

/** Whether a request makes an object, or prepares one alone and so takes no If-Match ("Enforce conditional writes"). */
const creation = (creates: boolean): Conditions => ({ 's3:ObjectCreationOperation': [String(creates)] });

function objectConditions(
  input: NewObjectInput,
  tags: readonly ObjectTag[] | undefined,
  call: Call,
): Conditions {
  return {
    ...given('s3:x-amz-acl', input.ACL),
    ...given('s3:x-amz-storage-class', input.StorageClass),
    ...given('s3:x-amz-server-side-encryption', input.ServerSideEncryption),
    ...given('s3:x-amz-server-side-encryption-aws-kms-key-id', input.SSEKMSKeyId),
    ...given('s3:x-amz-website-redirect-location', input.WebsiteRedirectLocation),
    ...given('s3:if-match', input.IfMatch),
    ...given('s3:if-none-match', input.IfNoneMatch),
    ...requestedTags(tags),
    ...retentionConditions(input.ObjectLockMode, input.ObjectLockRetainUntilDate, call.time),
    ...given('s3:object-lock-legal-hold', input.ObjectLockLegalHoldStatus),
  };
}

/**
 * The need of a request that goes on with an upload: it carries none of the headers that the upload was begun with, and
 * policies that ask for them (an encryption, say) mean the object, so those of the upload count.
 */
export async function onUpload(
  input: ObjectInput & Pick<NewObjectInput, 'IfMatch' | 'IfNoneMatch'> & { readonly UploadId: string },
  call: Call,
  { state }: Pick<S3Parts, 'state'>,
  options: { readonly creates: boolean; readonly more?: Conditions },
): Promise<Need> {
  const bucket = await calledBucket(input, state);
  const upload = await findUpload(state, input);
  const { asked, retention } = upload ?? {};
  const begun: NewObjectInput = {
    ACL: asked?.acl,
    StorageClass: asked?.storageClass,
    ServerSideEncryption: asked?.encryption,
    SSEKMSKeyId: asked?.kmsKeyId,
    WebsiteRedirectLocation: upload?.headers.websiteRedirectLocation,
    ObjectLockMode: retention?.mode,
    ObjectLockRetainUntilDate: retention && new Date(retention.until),
    ObjectLockLegalHoldStatus:
      upload?.legalHold === undefined ? undefined : legalHoldStatus(upload.legalHold),
    IfMatch: input.IfMatch,
    IfNoneMatch: input.IfNoneMatch,
  };
  return onObject('s3:PutObject', bucket, input.Key, call, {
    ...objectConditions(begun, upload?.tags, call),
    ...creation(options.creates),
    ...options.more,
  });
}

/** Needs of a request that makes an object: to put it, and to give it what the request gives it beside its bytes. */
export function onNewObject(
  input: NewObjectInput,
  bucket: BucketDocument,
  key: string,
  call: Call,
  options: { readonly creates: boolean; readonly more?: Conditions },
): readonly Need[] {
  const conditions: Conditions = {
    ...objectConditions(input, tagsOfHeader(input.Tagging), call),
    ...creation(options.creates),
    ...options.more,
  };
  const actions = [
    's3:PutObject',
    ...(input.Tagging === undefined ? [] : ['s3:PutObjectTagging']),
    ...(input.ACL === undefined ? [] : ['s3:PutObjectAcl']),
    ...(input.ObjectLockMode === undefined ? [] : ['s3:PutObjectRetention']),
    ...(input.ObjectLockLegalHoldStatus === undefined ? [] : ['s3:PutObjectLegalHold']),
  ];
  return actions.map((action) => onObject(action, bucket, key, call, conditions));
}

/**
 * Needs of a delete of one object or version. The tags of what is deleted do not count: "When granting permissions for the
 * PUT Object and DELETE Object operations, [s3:ExistingObjectTag] is not supported" ("Tagging and access control policies").
 */
export function onDeletedObject(
  input: ObjectInput & {
    readonly BypassGovernanceRetention?: boolean | undefined;
    readonly IfMatch?: string | undefined;
  },
  bucket: BucketDocument,
  call: Call,
): readonly Need[] {
  const conditions = { ...versionConditions(input), ...given('s3:if-match', input.IfMatch) };
  const actions = [
    actionFor('s3:DeleteObject', input),
    ...(input.BypassGovernanceRetention ? ['s3:BypassGovernanceRetention'] : []),
  ];
  return actions.map((action) => onObject(action, bucket, input.Key, call, conditions));
}
