import { usageError } from '../exit-codes.ts';

const standard = 'http://127.0.0.1:4747';

/** The server to talk to: `--endpoint`, else AWS_ENDPOINT_URL, else the standard address. Throws a usage error. */
export function findEndpoint(option: string | undefined, env: NodeJS.ProcessEnv): URL {
  const text = option ?? (env['AWS_ENDPOINT_URL'] || standard);
  const name = option === undefined ? 'AWS_ENDPOINT_URL' : '--endpoint';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw usageError(`${name} takes a URL such as ${standard}, not "${text}"`);
  }
  if (url.pathname !== '/' || url.search !== '' || url.username !== '') {
    throw usageError(`${name} takes a URL without a path, a query or a password, not "${text}"`);
  }
  return url;
}

/** The region that requests are signed for. Cairn's own routes answer for all regions, so any will do. */
export function findRegion(env: NodeJS.ProcessEnv): string {
  return env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || env['CAIRN_REGION'] || 'us-east-1';
}
