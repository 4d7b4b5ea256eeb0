import { createHash, createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';

type Headers = Readonly<Record<string, string>>;

export interface LightRequest {
  /** As in the credential scope. */
  readonly service: string;
  readonly method: 'GET' | 'POST';
  /** With its query string, in the order and with the escapes that Signature Version 4 wants. */
  readonly target: string;
  readonly headers?: Headers;
  readonly body?: string;
}

/**
 * A client that costs little: what it takes of the cores that it shares with the server, the server does not have. It signs
 * by Signature Version 4 and keeps its connections.
 */
export interface LightClient {
  /** The body of the answer. Throws for an answer that is not 2xx, but for 503: then it is undefined. */
  send(request: LightRequest): Promise<string | undefined>;
  close(): void;
}

export interface LightClientOptions {
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

const region = 'us-east-1';
const sha256 = (data: string) => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();

export function openLightClient({ endpoint, credentials }: LightClientOptions): LightClient {
  const { hostname, port, host } = new URL(endpoint);
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const keys = new Map<string, Buffer>();

  function signingKey(day: string, service: string): Buffer {
    const known = keys.get(`${day}/${service}`);
    if (known) return known;
    const secret: string | Buffer = `AWS4${credentials.secretAccessKey}`;
    const key = hmac(hmac(hmac(hmac(secret, day), region), service), 'aws4_request');
    keys.set(`${day}/${service}`, key);
    return key;
  }

  function signed({ service, method, target, headers = {}, body = '' }: LightRequest): Headers {
    const [path = '', query = ''] = target.split('?');
    const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const day = time.slice(0, 8);
    const all: Headers = { ...headers, host, 'x-amz-date': time };
    const lines = Object.entries(all).toSorted(([one], [other]) => (one < other ? -1 : 1));
    const names = lines.map(([name]) => name).join(';');
    const named = lines.map((line) => `${line.join(':')}\n`).join('');
    const canonical = `${method}\n${path}\n${query}\n${named}\n${names}\n${sha256(body)}`;
    const scope = `${day}/${region}/${service}/aws4_request`;
    const signature = hmac(
      signingKey(day, service),
      `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256(canonical)}`,
    ).toString('hex');
    const credential = `${credentials.accessKeyId}/${scope}`;
    const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
    return { ...all, authorization, 'content-length': String(Buffer.byteLength(body)) };
  }

  return {
    send: (wanted) =>
      new Promise((resolve, reject) => {
        const { method, target, body = '' } = wanted;
        const options = { agent, host: hostname, port, path: target, method, headers: signed(wanted) };
        const sent = request(options, (answer) => {
          const parts: Buffer[] = [];
          answer.on('data', (part: Buffer) => parts.push(part));
          answer.on('error', reject);
          answer.on('end', () => {
            const text = Buffer.concat(parts).toString();
            const { statusCode = 0 } = answer;
            if (statusCode >= 200 && statusCode < 300) resolve(text);
            else if (statusCode === 503) resolve(undefined);
            else reject(new Error(`${target} answered ${statusCode}: ${text.slice(0, 300)}`));
          });
        });
        sent.on('error', reject);
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}

/** LookupEvents of 50 by one attribute; how many there are. */
export async function lookUp(client: LightClient, key: string, value: string): Promise<number> {
  const answer = await client.send({
    service: 'cloudtrail',
    method: 'POST',
    target: '/',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents',
    },
    body: JSON.stringify({ LookupAttributes: [{ AttributeKey: key, AttributeValue: value }] }),
  });
  return (JSON.parse(answer ?? '{}') as { readonly Events?: readonly unknown[] }).Events?.length ?? 0;
}
