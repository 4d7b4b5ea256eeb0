import type {
  GetObjectAclOutput,
  GetObjectAclRequest,
  GetObjectAttributesOutput,
  GetObjectAttributesRequest,
  PutObjectAclOutput,
  PutObjectAclRequest,
} from '@aws-sdk/client-s3';
import { canonicalUserId } from '../bucket-documents.ts';
import { invalidArgument } from '../faults.ts';
import { calledBucket } from '../needs.ts';
import { requireObject, shownChecksum, shownVersion } from '../object-answers.ts';
import { checkAcl, checksumMember, refuseCustomerKeys } from '../object-facts.ts';
import { onExistingObject } from '../object-needs.ts';
import type { Given, S3Operation, S3Parts } from '../operation.ts';
import type { ObjectChecksum, ObjectVersion } from '../object-documents.ts';

/** Only the bucket's owner has an object, and everything of it. */
export const GetObjectAcl: S3Operation<GetObjectAclRequest, GetObjectAclOutput> = {
  access: 'read',
  category: 'data',
  needs: (input, call, parts) => onExistingObject(['s3:GetObjectAcl'], input, call, parts),
  async handle(input, _call, _change, parts) {
    const bucket = await calledBucket(input, parts.state);
    await requireObject(parts.state, bucket, input);
    const owner = { ID: canonicalUserId(bucket.accountId) };
    return {
      Owner: owner,
      Grants: [{ Grantee: { ...owner, Type: 'CanonicalUser' }, Permission: 'FULL_CONTROL' }],
    };
  },
};

/** Takes the list that says what holds anyway, and refuses all others: so no event tells of it ("Using EventBridge"). */
export const PutObjectAcl: S3Operation<PutObjectAclRequest, PutObjectAclOutput> = {
  access: 'write',
  category: 'data',
  needs: (input, call, parts) => onExistingObject(['s3:PutObjectAcl'], input, call, parts),
  async handle(input, _call, change) {
    const bucket = await calledBucket(input, change);
    await requireObject(change, bucket, input, 'PUT');
    const { AccessControlPolicy: policy } = input;
    checkAcl(policy ? { ...input, GrantFullControl: 'in the body' } : input, bucket);
    return {};
  },
};

const attributes = new Set(['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize']);

async function shownParts(
  input: Given<GetObjectAttributesRequest>,
  version: ObjectVersion,
  parts: S3Parts,
): Promise<GetObjectAttributesOutput['ObjectParts']> {
  const all = await parts.objects.partsOf(version);
  if (!all) return undefined;
  const marker = Number(input.PartNumberMarker ?? 0);
  const most = Math.min(input.MaxParts ?? 1000, 1000);
  const rest = all.map((part, at) => ({ part, number: at + 1 })).filter(({ number }) => number > marker);
  const page = rest.slice(0, most);
  const { checksum } = version;
  // Parts are listed only where each has a checksum of its own ("GetObjectAttributesParts").
  const listed = checksum?.type === 'COMPOSITE';
  return {
    TotalPartsCount: all.length,
    PartNumberMarker: String(marker),
    NextPartNumberMarker: String(page.at(-1)?.number ?? 0),
    MaxParts: most,
    IsTruncated: rest.length > page.length,
    ...(listed && {
      Parts: page.map(({ part, number }) => ({
        PartNumber: number,
        Size: part.s,
        ...(part.c !== undefined && checksumMember(checksum.algorithm, part.c)),
      })),
    }),
  };
}

export const GetObjectAttributes: S3Operation<GetObjectAttributesRequest, GetObjectAttributesOutput> = {
  access: 'read',
  category: 'data',
  needs: (input, call, parts) =>
    onExistingObject(['s3:GetObject', 's3:GetObjectAttributes'], input, call, parts),
  async handle(input, _call, _change, parts) {
    refuseCustomerKeys(input);
    const asked: ReadonlySet<string> = new Set(input.ObjectAttributes);
    const unknown = [...asked].find((name) => !attributes.has(name));
    if (unknown !== undefined)
      throw invalidArgument('Invalid attribute name specified.', 'x-amz-object-attributes', unknown);
    const bucket = await calledBucket(input, parts.state);
    const version = await requireObject(parts.state, bucket, input);
    const objectParts = asked.has('ObjectParts') ? await shownParts(input, version, parts) : undefined;
    return {
      LastModified: new Date(version.lastModified),
      ...shownVersion(bucket, version),
      // The one place where S3 gives the entity tag without quotes.
      ...(asked.has('ETag') && { ETag: version.etag }),
      ...(asked.has('Checksum') &&
        version.checksum && {
          Checksum: shownChecksum({ checksum: withoutCount(version.checksum) }),
        }),
      ...(objectParts && { ObjectParts: objectParts }),
      ...(asked.has('StorageClass') && { StorageClass: version.storageClass as 'STANDARD' }),
      ...(asked.has('ObjectSize') && { ObjectSize: version.sizeBytes }),
    };
  },
};

/** Of a composite checksum the number of parts is left out here: `ObjectParts` has it. */
const withoutCount = (checksum: ObjectChecksum): ObjectChecksum => ({
  ...checksum,
  value: checksum.value.replace(/-\d+$/, ''),
});
