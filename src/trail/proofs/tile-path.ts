/**
 * The paths of tiles and entry bundles below the log's prefix, as the C2SP specification "Tiled Transparency Logs" has
 * them: `tile/<L>/<N>[.p/<W>]` and `tile/entries/<N>[.p/<W>]`.
 */
export const tileWidth = 256;

export interface TileName {
  /** 0 to 63; `entries` is a bundle of the entries under a tile of level 0. */
  readonly level: number | 'entries';
  readonly index: number;
  /** Hashes or entries in it, 1 to 256. */
  readonly width: number;
}

/** The index in groups of three digits, all but the last of which begin with an x. */
function indexPath(index: number): string {
  let text = String(index % 1000).padStart(3, '0');
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    text = `x${String(rest % 1000).padStart(3, '0')}/${text}`;
  }
  return text;
}

/** The path of a tile, such as `tile/0/x001/234.p/17`. */
export function tilePath({ level, index, width }: TileName): string {
  const part = width === tileWidth ? '' : `.p/${width}`;
  return `tile/${level}/${indexPath(index)}${part}`;
}

const form = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/(\d{1,3}))?$/;

/** The tile that a path names; undefined for anything but the one way in which that path is written. */
export function parseTilePath(path: string): TileName | undefined {
  const [, level = '', index = '', width] = form.exec(path) ?? [];
  if (level === '') return undefined;
  const name: TileName = {
    level: level === 'entries' ? level : Number(level),
    index: Number(index.replaceAll(/\D/g, '')),
    width: width === undefined ? tileWidth : Number(width),
  };
  const inBounds =
    (name.level === 'entries' || name.level <= 63) && name.width >= 1 && name.width <= tileWidth;
  return inBounds && tilePath(name) === path ? name : undefined;
}

/** Hashes of `level` that a tree of `size` leaves has. */
export function hashesAt(level: number, size: number): number {
  return Math.floor(size / tileWidth ** level);
}
