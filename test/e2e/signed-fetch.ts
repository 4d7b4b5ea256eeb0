import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { TestServer } from './harness.ts';

type Data = string | ArrayBuffer | ArrayBufferView;

/** SHA-256 in the form that the SDK's signer takes. */
class Sha256 {
  readonly #hash;
  constructor(secret?: Data) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }
  update(data: Data): void {
    this.#hash.update(bytesOf(data));
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }
}

function bytesOf(data: Data): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

/** A request of our own, signed by the SDK's signer. `service` is the name in the credential scope. */
export async function signedFetch(
  server: Pick<TestServer, 'endpoint' | 'credentials'>,
  path: string,
  request: {
    readonly service: string;
    readonly method?: string;
    readonly query?: Readonly<Record<string, string>>;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | Uint8Array<ArrayBuffer>;
    readonly signal?: AbortSignal;
    /** When it says that it was signed; now, unless told. */
    readonly date?: Date;
  },
): Promise<Response> {
  const { hostname, port, protocol, host } = new URL(server.endpoint);
  const signer = new SignatureV4({
    credentials: server.credentials,
    region: 'us-east-1',
    service: request.service,
    sha256: Sha256,
    // S3 and S3 Control sign the path as it is sent.
    uriEscapePath: request.service !== 's3',
  });
  const method = request.method ?? 'GET';
  const signed = await signer.sign(
    {
      method,
      protocol,
      hostname,
      port: Number(port),
      path,
      query: request.query ?? {},
      headers: { host, ...request.headers },
      ...(request.body === undefined ? {} : { body: request.body }),
    },
    request.date && { signingDate: request.date },
  );
  const query = new URLSearchParams(request.query).toString().replaceAll('+', '%20');
  return fetch(`${server.endpoint}${path}${query === '' ? '' : `?${query}`}`, {
    method,
    headers: signed.headers,
    ...(request.body === undefined ? {} : { body: request.body }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
}
