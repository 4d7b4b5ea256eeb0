import { join } from 'node:path';

/**
 * How a blob's key becomes a path. The key's bytes are cut into pieces, each a name in the directory of the one before:
 * full pieces are directories, the last is the file. So names stay short enough for every file system, and files and
 * directories, ordered by their pieces, stand in the order of the keys' bytes.
 */
const pieceBytes = 64;
const directoryMark = '~';

/** Lower case letters, digits, `-`, `_` and inner dots stand for themselves; `,` is a slash; `^a` is an upper case A. */
function encodeByte(byte: number): string {
  const character = String.fromCharCode(byte);
  if (/[a-z0-9_.-]/.test(character)) return character;
  if (/[A-Z]/.test(character)) return `^${character.toLowerCase()}`;
  return character === '/' ? ',' : `%${byte.toString(16).padStart(2, '0')}`;
}

const encoded: readonly string[] = Array.from({ length: 256 }, (_, byte) => encodeByte(byte));

function encodePiece(piece: Uint8Array): string {
  let name = '';
  for (const byte of piece) name += encoded[byte];
  return name.startsWith('.') ? `%2e${name.slice(1)}` : name;
}

function decodePiece(name: string): Buffer {
  const bytes = name.replaceAll(/%([0-9a-f]{2})|\^([a-z])|,/g, (match, hex?: string, letter?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
    return letter === undefined ? match.replace(',', '/') : letter.toUpperCase();
  });
  return Buffer.from(bytes, 'latin1');
}

/** The directory (relative to the store's root) and the file name of a key. */
export function blobPath(key: string): { readonly directory: string; readonly file: string } {
  const bytes = Buffer.from(key);
  const names: string[] = [];
  let at = 0;
  for (; bytes.length - at > pieceBytes; at += pieceBytes) {
    names.push(encodePiece(bytes.subarray(at, at + pieceBytes)) + directoryMark);
  }
  return { directory: join('.', ...names), file: encodePiece(bytes.subarray(at)) };
}

/** What a name in a directory stands for: the piece of the key, and whether longer keys are in it. */
export interface BlobName {
  readonly name: string;
  readonly piece: Buffer;
  readonly directory: boolean;
}

/** The names of a directory in the order of the keys that they stand for. */
export function orderNames(names: readonly string[]): readonly BlobName[] {
  return names
    .map((name) => {
      const directory = name.endsWith(directoryMark);
      return { name, directory, piece: decodePiece(directory ? name.slice(0, -1) : name) };
    })
    .toSorted((a, b) => Buffer.compare(a.piece, b.piece) || Number(a.directory) - Number(b.directory));
}
