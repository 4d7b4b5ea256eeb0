import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { AwsFault, limits } from '../kernel/index.ts';
import { openInputDecoder, openServices, signRequest, type Call, type Undecoded } from './index.ts';
import { openTestEndpoint, type TestEndpoint } from './test-endpoint.ts';

/** An operation that decodes its input itself, over a socket. */
async function openDecoding(decode: (undecoded: Undecoded, call: Call) => Promise<unknown>) {
  const PutAuditEvents = {
    access: 'write',
    decode,
    handle: async () => ({ successful: [], failed: [] }),
  } as const;
  return openTestEndpoint({ pipeline: { operations: { 'cloudtrail-data': { PutAuditEvents } } } });
}

async function send(
  endpoint: TestEndpoint,
  body: Uint8Array<ArrayBuffer>,
  edit: { readonly headers?: Record<string, string>; readonly sent?: Uint8Array<ArrayBuffer> } = {},
): Promise<Response> {
  const request = {
    method: 'POST',
    url: new URL(`${endpoint.url}/PutAuditEvents?channelArn=mine`),
    headers: { 'content-type': 'application/json', ...edit.headers },
    body,
  };
  const headers = signRequest({
    ...request,
    credentials: endpoint.credentials,
    service: 'cloudtrail-data',
    region: 'us-east-1',
    time: endpoint.clock.now(),
  });
  return fetch(request.url, { method: 'POST', headers, body: edit.sent ?? body });
}

const good = new Uint8Array(Buffer.from('{"auditEvents":[{"id":"a","eventData":"{}"}]}'));

describe('an operation that decodes its input itself', () => {
  it('gets the body whole and unzipped, can decode it in both ways, and is performed with what it made', async () => {
    const ways: unknown[] = [];
    const decodeElsewhere = openInputDecoder(openServices());
    await using endpoint = await openDecoding(async ({ encoded, decode }, { accountId }) => {
      ways.push(decode(), await decodeElsewhere(structuredClone(encoded)));
      return { own: accountId };
    });
    const zipped = new Uint8Array(gzipSync(good));
    expect((await send(endpoint, zipped, { headers: { 'content-encoding': 'gzip' } })).status).toBe(200);
    const input = { channelArn: 'mine', auditEvents: [{ id: 'a', eventData: '{}' }] };
    expect(ways).toEqual([input, input]);
    expect(endpoint.performed.at(-1)?.input).toEqual({ own: '000000000000' });
  });

  it('may fail as decoding may, which is answered and recorded with the caller', async () => {
    await using endpoint = await openDecoding(async ({ decode }) => decode());
    const answer = await send(endpoint, good.subarray(0, -1));
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([400, 'SerializationException']);
    expect(endpoint.performed).toEqual([]);
    expect(endpoint.rejected).toMatchObject([
      {
        operationName: 'PutAuditEvents',
        call: { accountId: '000000000000' },
        error: { code: 'SerializationException' },
      },
    ]);
  });

  it('is not asked for a body that is not the signed one', async () => {
    let asked = 0;
    await using endpoint = await openDecoding(() => {
      asked++;
      return Promise.reject(new AwsFault('Asked', 'asked'));
    });
    const changed = new Uint8Array(good);
    changed[20] = 0x7a;
    const answer = await send(endpoint, good, { sent: changed });
    expect([answer.status, asked]).toEqual([403, 0]);
  });

  it('claims memory that is given back with the answer, within the bound of all requests', async () => {
    const most = limits.requestBytesInFlight - good.length;
    await using endpoint = await openDecoding(async ({ claim }) => {
      claim(most);
      expect(() => claim(1)).toThrow(/Too many bytes/);
      return {};
    });
    for (let turn = 0; turn < 3; turn++) expect((await send(endpoint, good)).status).toBe(200);
    await using greedy = await openDecoding(async ({ claim }) => claim(limits.requestBytesInFlight));
    const answer = await send(greedy, good);
    expect([answer.status, answer.headers.get('x-amzn-errortype')]).toEqual([
      503,
      'ServiceUnavailableException',
    ]);
  });
});
