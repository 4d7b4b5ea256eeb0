import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { assert, type Random } from '../../kernel/index.ts';
import type { Cipher } from '../../identity/index.ts';
import { documentKeys, type KeyDocument, type MaterialDocument } from './key-documents.ts';
import { keySpecs, type KeySpecName } from './key-specs.ts';

const makeKeyPair = promisify(generateKeyPair);

type Place = Pick<KeyDocument, 'accountId' | 'region' | 'id'>;

/** A new key's material, and the public half where there is one. */
export interface NewMaterial {
  readonly material: MaterialDocument;
  /** SPKI DER, base 64. */
  readonly publicKey?: string;
}

/** Makes and opens the material of keys: it leaves this part sealed, or not at all. */
export interface Materials {
  make(place: Place, spec: KeySpecName, createdAt: number): Promise<NewMaterial>;
  /** Another version of the material of a symmetric key. */
  rotate(key: KeyDocument, createdAt: number, how: 'AUTOMATIC' | 'ON_DEMAND'): MaterialDocument;
  /** The 32 bytes of an AES key. Undefined when the key has no such version. */
  secret(key: KeyDocument, materialId: string): Buffer | undefined;
  /** The private key of an RSA key. */
  privateKey(key: KeyDocument): KeyObject;
}

/** Neither can the material of one key be passed off as another's, nor one version as another. */
const context = (place: Place, id: string): string => `${documentKeys.key(place)}#${id}`;

/** Opens the materials over the cipher `kms/v1` of the master key. RSA keys take the randomness of the crypto library. */
export function openMaterials({
  cipher,
  random,
}: {
  readonly cipher: Cipher;
  readonly random: Random;
}): Materials {
  const seal = (place: Place, secret: Uint8Array, createdAt: number): MaterialDocument => {
    const id = Buffer.from(random.bytes(32)).toString('hex');
    return { id, sealed: cipher.seal(secret, context(place, id)).toString('base64'), createdAt };
  };

  const open = (key: KeyDocument, { id, sealed }: MaterialDocument): Buffer => {
    const secret = cipher.open(Buffer.from(sealed, 'base64'), context(key, id));
    if (!secret) {
      throw new Error(
        `the material ${id} of ${documentKeys.key(key)} cannot be opened with this master key: put back the master key file that belongs to this data directory`,
      );
    }
    return secret;
  };

  return {
    async make(place, spec, createdAt) {
      const { rsaBits } = keySpecs[spec];
      if (rsaBits === undefined) return { material: seal(place, random.bytes(32), createdAt) };
      const { privateKey, publicKey } = await makeKeyPair('rsa', { modulusLength: rsaBits });
      return {
        material: seal(place, privateKey.export({ format: 'der', type: 'pkcs8' }), createdAt),
        publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
      };
    },
    rotate(key, createdAt, rotation) {
      assert(key.spec === 'SYMMETRIC_DEFAULT', 'symmetric keys alone are rotated');
      return { ...seal(key, random.bytes(32), createdAt), rotation };
    },
    secret(key, materialId) {
      const material = key.materials.find(({ id }) => id === materialId);
      return material && open(key, material);
    },
    privateKey(key) {
      const [material] = key.materials;
      assert(material && keySpecs[key.spec].rsaBits !== undefined, 'an RSA key has its material');
      return createPrivateKey({ key: open(key, material), format: 'der', type: 'pkcs8' });
    },
  };
}
