import { findCredentials } from '../connection/credentials.ts';
import { findEndpoint, findRegion } from '../connection/endpoint.ts';
import { dataDirectory, type CommandContext, type ConnectionOptions } from '../context.ts';
import { usageError } from '../exit-codes.ts';
import type { BucketSource } from '../verify/bucket-source.ts';
import { rememberedFile } from '../verify/remembered.ts';
import { openS3Source } from '../verify/s3-source.ts';
import { openKnownObjects, type KnownObjects } from './s3-files.ts';

/** A bucket, or the part of one, to be imported. */
export interface BucketPlace {
  readonly bucket: string;
  readonly prefix: string;
}

export interface OpenedBucket {
  readonly source: BucketSource;
  readonly known: KnownObjects;
}

/** Reads `s3://BUCKET/PREFIX`; undefined for a path of this machine. */
export function bucketPlaceOf(text: string): BucketPlace | undefined {
  if (!text.startsWith('s3://')) return undefined;
  const [, bucket, prefix = ''] = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(text) ?? [];
  if (bucket === undefined) throw usageError(`a bucket is named as s3://BUCKET/PREFIX, not "${text}"`);
  return { bucket, prefix };
}

/** `--source-endpoint`, else AWS_ENDPOINT_URL; undefined for AWS itself and what the AWS configuration files say. */
function endpointOf(option: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  const text = option ?? (env['AWS_ENDPOINT_URL_S3'] || env['AWS_ENDPOINT_URL'] || undefined);
  if (text === undefined) return undefined;
  if (!URL.canParse(text)) throw usageError(`--source-endpoint takes a URL, not "${text}"`);
  return text;
}

/** Opens the bucket. One that is in the Cairn that imports it is read with the credentials of that Cairn. */
export async function openBucket(
  { env, clock, signal }: CommandContext,
  options: ConnectionOptions & { readonly sourceEndpoint?: string; readonly sourceProfile?: string },
  { bucket }: BucketPlace,
  sockets: number,
): Promise<OpenedBucket> {
  const server = findEndpoint(options.endpoint, env).origin;
  const endpoint = endpointOf(options.sourceEndpoint, env);
  const isHere = endpoint !== undefined && new URL(endpoint).origin === server && !options.sourceProfile;
  const credentials = async () => {
    const data = dataDirectory(options, env);
    const { sessionToken, ...found } = await findCredentials({ env, profile: options.profile, data });
    return { ...found, ...(sessionToken !== undefined && { sessionToken }) };
  };
  const source = openS3Source(
    bucket,
    {
      endpoint,
      isOwnEndpoint: endpoint !== undefined,
      region: findRegion(env),
      profile: options.sourceProfile,
      credentials: isHere ? credentials : undefined,
      sockets,
    },
    { now: () => clock.now(), signal },
  );
  const known = await openKnownObjects(rememberedFile(`import ${endpoint ?? 'aws'} ${bucket}`, env));
  return { source, known };
}
