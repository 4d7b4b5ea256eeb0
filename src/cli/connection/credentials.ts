import { join, resolve } from 'node:path';
import { CommandError, exitCodes } from '../exit-codes.ts';
import { readIfPresent, readSharedProfile } from './shared-file.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | undefined;
  /** Where they came from, for messages. */
  readonly source: string;
}

/** What is looked at besides the process's environment. */
export interface CredentialPlaces {
  readonly env: NodeJS.ProcessEnv;
  /** `--profile`: this profile of the AWS files and nothing else. */
  readonly profile: string | undefined;
  /** The data directory whose `credentials` file is the last resort. */
  readonly data: string;
}

/** The credentials that the server wrote into its data directory; undefined when there are none. */
async function readDataCredentials(data: string): Promise<Credentials | undefined> {
  const file = resolve(join(data, 'credentials'));
  const text = await readIfPresent(file);
  if (text === undefined) return undefined;
  const profile = readSharedProfile(text, 'default');
  if (!profile) {
    throw new CommandError(`${file} holds no [default] profile with an access key`, exitCodes.noAccess);
  }
  return { ...profile, source: file };
}

function describeSource(env: NodeJS.ProcessEnv, profile: string | undefined): string {
  const named = profile ?? env['AWS_PROFILE'];
  if (named) return `profile ${named}`;
  if (env['AWS_ACCESS_KEY_ID'] && env['AWS_SECRET_ACCESS_KEY']) return 'AWS_ACCESS_KEY_ID in the environment';
  return 'the AWS configuration files';
}

/** What stands first in the chain where no profile is named; the rest of it takes longer to load than many a command to run. */
function readEnvironment(env: NodeJS.ProcessEnv): Omit<Credentials, 'source'> | undefined {
  const { AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = env;
  if (AWS_PROFILE || !AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) return undefined;
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    sessionToken: AWS_SESSION_TOKEN || undefined,
  };
}

/**
 * The ordinary AWS credential chain. The instance metadata service is left out: on a machine outside EC2 asking it takes
 * seconds, and what it hands out is never a key of this Cairn.
 */
async function readAwsChain(places: CredentialPlaces): Promise<Credentials | undefined> {
  process.env['AWS_EC2_METADATA_DISABLED'] = 'true';
  const { profile, env } = places;
  const plain = profile === undefined ? readEnvironment(process.env) : undefined;
  if (plain) return { ...plain, source: describeSource(env, profile) };
  try {
    const { defaultProvider } = await import('@aws-sdk/credential-provider-node');
    const found = await defaultProvider(profile === undefined ? {} : { profile })();
    return {
      accessKeyId: found.accessKeyId,
      secretAccessKey: found.secretAccessKey,
      sessionToken: found.sessionToken,
      source: describeSource(env, profile),
    };
  } catch (error) {
    const named = profile ?? env['AWS_PROFILE'];
    if (named) {
      throw new CommandError(
        `profile ${named} gives no credentials: ${(error as Error).message}`,
        exitCodes.noAccess,
        { cause: error },
      );
    }
    if ((error as Error).name === 'CredentialsProviderError') return undefined;
    throw new CommandError(
      `cannot read the AWS credentials: ${(error as Error).message}`,
      exitCodes.noAccess,
      { cause: error },
    );
  }
}

/**
 * Finds the credentials of a command: the ordinary AWS chain, else `<data>/credentials`. A profile that was asked for by
 * name and is not there is an error; falling back then would act as somebody else.
 */
export async function findCredentials(places: CredentialPlaces): Promise<Credentials> {
  const found = (await readAwsChain(places)) ?? (await readDataCredentials(places.data));
  if (found) return found;
  throw new CommandError(
    `no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where ${join(places.data, 'credentials')} is (--data names the data directory)`,
    exitCodes.noAccess,
  );
}
