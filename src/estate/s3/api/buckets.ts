import type {
  Bucket,
  CreateBucketOutput,
  CreateBucketRequest,
  DeleteBucketRequest,
  GetBucketLocationOutput,
  GetBucketLocationRequest,
  HeadBucketOutput,
  HeadBucketRequest,
  ListBucketsOutput,
  ListBucketsRequest,
} from '@aws-sdk/client-s3';
import { AwsFault, isRegion } from '../../../kernel/index.ts';
import type { StateView } from '../../../state/index.ts';
import type { Call, Need } from '../../../wire/index.ts';
import { bucketNeed, requireBucket } from '../bucket-access.ts';
import { nothing, type Nothing } from '../bucket-faults.ts';
import {
  bucketArn,
  bucketKey,
  canonicalUserId,
  ownedBucketKey,
  ownedBucketsPrefix,
  readBucket,
  type BucketDocument,
} from '../bucket-documents.ts';
import { invalidArgument, noSuchBucket, notImplemented } from '../faults.ts';
import { bucketNameProblem } from '../bucket-names.ts';
import { checkTags } from '../bucket-tags.ts';
import { commonConditions } from '../needs.ts';
import { isEmpty } from '../object-documents.ts';
import type { Given, S3Operation } from '../operation.ts';
import { note } from '../recorded-call.ts';

/** S3: "By default, you can create up to 10,000 general purpose buckets per AWS account." */
const bucketsPerAccount = 10_000;

const illegalLocation = (message: string): AwsFault =>
  new AwsFault('IllegalLocationConstraintException', message, { status: 400 });

/**
 * The region of a new bucket. Signed for us-east-1, the request may name any region, as at S3's global endpoint; signed
 * for another, it must name that one.
 */
function regionOf({ CreateBucketConfiguration }: Given<CreateBucketRequest>, call: Call): string {
  const given = CreateBucketConfiguration?.LocationConstraint as string | undefined;
  const wanted = given === 'EU' ? 'eu-west-1' : given;
  if (wanted === undefined || wanted === '') {
    if (call.region === 'us-east-1') return call.region;
    throw illegalLocation(
      'The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.',
    );
  }
  if (!isRegion(wanted) || wanted === 'us-east-1') {
    throw new AwsFault('InvalidLocationConstraint', 'The specified location-constraint is not valid', {
      status: 400,
      members: { LocationConstraint: given },
    });
  }
  if (call.region !== 'us-east-1' && call.region !== wanted) {
    throw illegalLocation(
      `The ${given} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    );
  }
  return wanted;
}

function checkAcl(input: Given<CreateBucketRequest>, ownership: BucketDocument['ownership']): void {
  const grants = [
    input.GrantFullControl,
    input.GrantRead,
    input.GrantReadACP,
    input.GrantWrite,
    input.GrantWriteACP,
  ];
  const plain =
    (input.ACL === undefined || input.ACL === 'private') && grants.every((grant) => grant === undefined);
  if (plain) return;
  if (ownership === 'BucketOwnerEnforced') {
    throw new AwsFault(
      'InvalidBucketAclWithObjectOwnership',
      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
      { status: 400 },
    );
  }
  throw notImplemented(
    'Of the ACLs of buckets, private is the only one that exists here; use a bucket policy instead.',
  );
}

function checkKind({ CreateBucketConfiguration, BucketNamespace }: Given<CreateBucketRequest>): void {
  if (CreateBucketConfiguration?.Location !== undefined || CreateBucketConfiguration?.Bucket !== undefined) {
    throw notImplemented('Directory buckets do not exist here; create a general purpose bucket.');
  }
  if (BucketNamespace !== undefined && BucketNamespace !== 'global') {
    throw notImplemented('Namespaces of an account do not exist here; the names of buckets are global.');
  }
}

/** Of a name that is taken. The owner may create a bucket of us-east-1 again, which then changes nothing. */
function again(
  existing: BucketDocument,
  input: Given<CreateBucketRequest>,
  wanted: BucketDocument,
): CreateBucketOutput {
  const { name } = existing;
  if (existing.accountId !== wanted.accountId) {
    const text =
      'The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.';
    throw new AwsFault('BucketAlreadyExists', text, { status: 409, members: { BucketName: name } });
  }
  const same =
    existing.region === 'us-east-1' &&
    wanted.region === 'us-east-1' &&
    (input.ObjectLockEnabledForBucket !== true || existing.objectLock !== undefined) &&
    (input.ObjectOwnership === undefined || input.ObjectOwnership === existing.ownership);
  if (same && !wanted.tags) return { Location: `/${name}`, BucketArn: bucketArn(name) };
  const text = 'Your previous request to create the named bucket succeeded and you already own it.';
  throw new AwsFault('BucketAlreadyOwnedByYou', text, { status: 409, members: { BucketName: name } });
}

const ownerships: ReadonlySet<string> = new Set([
  'BucketOwnerPreferred',
  'ObjectWriter',
  'BucketOwnerEnforced',
]);

function ownershipOf({ ObjectOwnership: given }: Given<CreateBucketRequest>): BucketDocument['ownership'] {
  if (given === undefined) return 'BucketOwnerEnforced';
  if (ownerships.has(given)) return given;
  throw invalidArgument(`Invalid x-amz-object-ownership header: ${given}`, 'x-amz-object-ownership');
}

function newBucket(input: Given<CreateBucketRequest>, call: Call): BucketDocument {
  const problem = bucketNameProblem(input.Bucket);
  if (problem !== undefined) {
    throw new AwsFault('InvalidBucketName', `The specified bucket is not valid: ${problem}.`, {
      status: 400,
      members: { BucketName: input.Bucket },
    });
  }
  const ownership = ownershipOf(input);
  checkKind(input);
  checkAcl(input, ownership);
  const tags = checkTags(input.CreateBucketConfiguration?.Tags ?? []);
  return {
    name: input.Bucket,
    accountId: call.accountId,
    region: regionOf(input, call),
    createdAt: call.time,
    ownership,
    encryption: { algorithm: 'AES256', bucketKeyEnabled: false },
    // New buckets block public access ("Blocking public access to your Amazon S3 storage").
    publicAccessBlock: {
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    },
    ...(input.ObjectLockEnabledForBucket === true && { objectLock: {}, versioning: 'Enabled' as const }),
    ...(tags.length > 0 && { tags }),
  };
}

export const CreateBucket: S3Operation<CreateBucketRequest, CreateBucketOutput> = {
  access: 'write',
  /** What the request sets besides needs its own permission ("CreateBucket", permissions). */
  needs(input, call) {
    const { LocationConstraint, Tags } = input.CreateBucketConfiguration ?? {};
    const conditions = {
      ...commonConditions(call),
      ...(LocationConstraint !== undefined && { 's3:locationconstraint': [LocationConstraint] }),
      ...(input.ACL !== undefined && { 's3:x-amz-acl': [input.ACL] }),
      ...(input.ObjectOwnership !== undefined && { 's3:x-amz-object-ownership': [input.ObjectOwnership] }),
    };
    const actions = [
      's3:CreateBucket',
      ...(input.ACL !== undefined && input.ACL !== 'private' ? ['s3:PutBucketAcl'] : []),
      ...(input.ObjectLockEnabledForBucket === true
        ? ['s3:PutBucketObjectLockConfiguration', 's3:PutBucketVersioning']
        : []),
      ...(input.ObjectOwnership === undefined ? [] : ['s3:PutBucketOwnershipControls']),
      ...(Tags?.length ? ['s3:TagResource'] : []),
    ];
    const requestTags = Object.fromEntries((Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
    // Whether somebody else has the name is answered to whoever may create it: that is no matter of their policy.
    return Promise.resolve(
      actions.map((action): Need => ({ action, resource: bucketArn(input.Bucket), conditions, requestTags })),
    );
  },
  async handle(input, call, change) {
    const bucket = newBucket(input, call);
    const existing = await readBucket(change, bucket.name);
    if (existing) return again(existing, input, bucket);
    if ((await change.count(ownedBucketsPrefix(call.accountId))) >= bucketsPerAccount) {
      const text = 'You have attempted to create more buckets than allowed';
      throw new AwsFault('TooManyBuckets', text, { status: 400 });
    }
    note(input, { bucket });
    change.put(bucketKey(bucket.name), bucket);
    change.put(ownedBucketKey(call.accountId, bucket.name), {});
    return { Location: `/${bucket.name}`, BucketArn: bucketArn(bucket.name) };
  },
};

export const DeleteBucket: S3Operation<DeleteBucketRequest, Nothing> = {
  access: 'write',
  needs: (input, call, parts) => bucketNeed('s3:DeleteBucket', input, call, parts),
  async handle(input, call, change, { objects }) {
    const { name, accountId, versioning } = await requireBucket(change, input, call);
    if (!(await isEmpty(change, name))) {
      const text =
        versioning === undefined
          ? 'The bucket you tried to delete is not empty'
          : 'The bucket you tried to delete is not empty. You must delete all versions in the bucket.';
      throw new AwsFault('BucketNotEmpty', text, { status: 409, members: { BucketName: name } });
    }
    await objects.abandonUploads(change, name);
    change.delete(bucketKey(name));
    change.delete(ownedBucketKey(accountId, name));
    return nothing;
  },
};

/** HEAD has no body to say more in, and its model knows no other name for what is not there. */
async function orNotFound<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof AwsFault) || error.code !== 'NoSuchBucket') throw error;
    throw new AwsFault('NotFound', error.message, { status: 404 });
  }
}

export const HeadBucket: S3Operation<HeadBucketRequest, HeadBucketOutput> = {
  access: 'read',
  category: 'data',
  needs: (input, call, parts) => orNotFound(bucketNeed('s3:ListBucket', input, call, parts)),
  async handle(input, call, change) {
    const { name, region } = await orNotFound(requireBucket(change, input, call));
    return { BucketRegion: region, BucketArn: bucketArn(name), AccessPointAlias: false };
  },
};

/** It is asked to find the region out, and so from any region. */
async function fromAnywhere(
  view: StateView,
  { Bucket }: { readonly Bucket: string },
  call: Call,
): Promise<Call> {
  const bucket = await readBucket(view, Bucket);
  if (!bucket) throw noSuchBucket(Bucket);
  return { ...call, region: bucket.region as Call['region'] };
}

export const GetBucketLocation: S3Operation<GetBucketLocationRequest, GetBucketLocationOutput> = {
  access: 'read',
  async needs(input, call, parts) {
    const there = await fromAnywhere(parts.state, input, call);
    return bucketNeed('s3:GetBucketLocation', input, there, parts);
  },
  async handle(input, call, change) {
    const { region } = await requireBucket(change, input, await fromAnywhere(change, input, call));
    return region === 'us-east-1'
      ? {}
      : { LocationConstraint: region as Exclude<GetBucketLocationOutput['LocationConstraint'], undefined> };
  },
};

const mostInPage = 10_000;

const encodeToken = (name: string): string => Buffer.from(name).toString('base64url');

function decodeToken(token: string | undefined): string {
  if (token === undefined) return '';
  const name = Buffer.from(token, 'base64url').toString();
  if (name === '' || encodeToken(name) !== token) {
    throw invalidArgument('The continuation token provided is incorrect', 'continuation-token', token);
  }
  return name;
}

/** Buckets of an account in the order of their names, those that `keep` wants. */
async function* bucketsAfter(view: StateView, accountId: string, prefix: string, after: string) {
  const base = ownedBucketsPrefix(accountId);
  let last = base + after;
  for (;;) {
    const found = await view.list(base + prefix, { ...(last > base && { after: last }), limit: 1_000 });
    for (const { key } of found) {
      const bucket = await readBucket(view, key.slice(base.length));
      if (bucket) yield bucket;
    }
    const end = found.at(-1);
    if (!end) return;
    last = end.key;
  }
}

export const ListBuckets: S3Operation<ListBucketsRequest, ListBucketsOutput> = {
  access: 'read',
  needs: (_, call) =>
    Promise.resolve([{ action: 's3:ListAllMyBuckets', resource: '*', conditions: commonConditions(call) }]),
  async handle(input, call, change) {
    const { Prefix, BucketRegion, ContinuationToken, MaxBuckets = mostInPage } = input;
    const asked = [Prefix, BucketRegion, ContinuationToken, input.MaxBuckets].some(
      (value) => value !== undefined,
    );
    const Buckets: Bucket[] = [];
    let next: string | undefined;
    for await (const bucket of bucketsAfter(
      change,
      call.accountId,
      Prefix ?? '',
      decodeToken(ContinuationToken),
    )) {
      if (BucketRegion !== undefined && bucket.region !== BucketRegion) continue;
      if (Buckets.length === MaxBuckets) {
        next = Buckets.at(-1)?.Name;
        break;
      }
      Buckets.push({
        Name: bucket.name,
        CreationDate: new Date(bucket.createdAt),
        BucketArn: bucketArn(bucket.name),
        ...(asked && { BucketRegion: bucket.region }),
      });
    }
    return {
      Buckets,
      Owner: { ID: canonicalUserId(call.accountId) },
      ...(Prefix !== undefined && { Prefix }),
      ...(next !== undefined && { ContinuationToken: encodeToken(next) }),
    };
  },
};
