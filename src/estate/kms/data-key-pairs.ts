import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import { unsupported } from './faults.ts';

const make = promisify(generateKeyPair);

/** Bits of an RSA modulus, or the library's name of a curve, by KeyPairSpec. */
const specs: ReadonlyMap<string, number | string> = new Map<string, number | string>([
  ['RSA_2048', 2048],
  ['RSA_3072', 3072],
  ['RSA_4096', 4096],
  ['ECC_NIST_P256', 'P-256'],
  ['ECC_NIST_P384', 'P-384'],
  ['ECC_NIST_P521', 'P-521'],
  ['ECC_SECG_P256K1', 'secp256k1'],
]);

/** Makes a data key pair: PKCS #8 and SPKI, DER. Throws UnsupportedOperationException for a spec that is absent. */
export async function makeDataKeyPair(
  spec: string,
): Promise<{ readonly privateKey: Buffer; readonly publicKey: Buffer }> {
  const kind = specs.get(spec);
  if (kind === undefined) {
    throw unsupported(`KeyPairSpec ${spec} is not supported; there are ${[...specs.keys()].join(', ')}.`);
  }
  const pair =
    typeof kind === 'number'
      ? await make('rsa', { modulusLength: kind })
      : await make('ec', { namedCurve: kind });
  return {
    privateKey: pair.privateKey.export({ format: 'der', type: 'pkcs8' }),
    publicKey: pair.publicKey.export({ format: 'der', type: 'spki' }),
  };
}
