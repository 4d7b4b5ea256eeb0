/**
 * Matching with `*` (any run of characters) and `?` (any one character). No regular expressions: the work is at most
 * the length of the pattern times the length of the text, whatever either of them says.
 */

/** What stands in a pattern between its literal characters. The confined ones do not match a colon. */
export const wildcard = { star: -1, question: -2, confinedStar: -3, confinedQuestion: -4 } as const;

const colon = 58;

/** A pattern, ready to match. `codes` are UTF-16 code units and the negative numbers of `wildcard`. */
export type Glob =
  | { readonly kind: 'everything' }
  | { readonly kind: 'exact'; readonly text: string }
  | { readonly kind: 'prefix'; readonly text: string }
  | { readonly kind: 'codes'; readonly codes: readonly number[]; readonly confined: boolean };

function textOf(codes: readonly number[]): string {
  let text = '';
  for (const code of codes) text += String.fromCharCode(code);
  return text;
}

/** Chooses the cheapest way to match `codes`. */
export function globOf(codes: readonly number[]): Glob {
  const first = codes.findIndex((code) => code < 0);
  if (first === -1) return { kind: 'exact', text: textOf(codes) };
  if (codes[first] === wildcard.star && first === codes.length - 1) {
    return first === 0 ? { kind: 'everything' } : { kind: 'prefix', text: textOf(codes.slice(0, first)) };
  }
  return { kind: 'codes', codes, confined: codes.includes(wildcard.confinedStar) };
}

function matchesOne(code: number | undefined, unit: number): boolean {
  return (
    code === unit || code === wildcard.question || (code === wildcard.confinedQuestion && unit !== colon)
  );
}

/**
 * The usual walk that remembers the last star alone. Extending an earlier star could only match later in the text what
 * was matched already, so the last one is enough, as long as every star may match everything.
 */
function matchesGreedily(codes: readonly number[], text: string): boolean {
  let at = 0;
  let place = 0;
  let star = -1;
  let starPlace = 0;
  while (place < text.length) {
    if (codes[at] === wildcard.star) {
      star = at;
      starPlace = place;
      at += 1;
    } else if (at < codes.length && matchesOne(codes[at], text.charCodeAt(place))) {
      at += 1;
      place += 1;
    } else if (star === -1) {
      return false;
    } else {
      starPlace += 1;
      place = starPlace;
      at = star + 1;
    }
  }
  while (codes[at] === wildcard.star) at += 1;
  return at === codes.length;
}

/**
 * For patterns with a star that stops at colons, where remembering one star is not enough: after each piece of the
 * pattern, the set of all places in the text that it can have come to.
 */
function matchesByPlaces(codes: readonly number[], text: string): boolean {
  const length = text.length;
  let reached = new Uint8Array(length + 1);
  reached[0] = 1;
  for (const code of codes) {
    const next = new Uint8Array(length + 1);
    const isStar = code === wildcard.star || code === wildcard.confinedStar;
    let open = 0;
    for (let place = 0; place <= length; place += 1) {
      if (isStar) {
        if (reached[place]) open = 1;
        next[place] = open;
        if (code === wildcard.confinedStar && text.charCodeAt(place) === colon) open = 0;
      } else if (reached[place] && place < length && matchesOne(code, text.charCodeAt(place))) {
        next[place + 1] = 1;
      }
    }
    reached = next;
  }
  return reached[length] === 1;
}

/** Whether the whole of `text` matches. */
export function matchesGlob(glob: Glob, text: string): boolean {
  switch (glob.kind) {
    case 'everything':
      return true;
    case 'exact':
      return glob.text === text;
    case 'prefix':
      return text.startsWith(glob.text);
    case 'codes':
      return glob.confined ? matchesByPlaces(glob.codes, text) : matchesGreedily(glob.codes, text);
  }
}
