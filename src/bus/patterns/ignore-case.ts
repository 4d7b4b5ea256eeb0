/**
 * Comparing without regard to case, character by character: a character of the pattern stands for itself and for its upper
 * and lower case form. Forms of more than one character (ß in upper case) are left out, as they change no text's length.
 */
export type CaselessText = readonly CaselessCharacter[];

interface CaselessCharacter {
  readonly upper: string;
  readonly lower: string;
}

function formOf(character: string, changed: string): string {
  return Array.from(changed).length === 1 ? changed : character;
}

export function caselessText(text: string): CaselessText {
  return Array.from(text, (character) => ({
    upper: formOf(character, character.toUpperCase()),
    lower: formOf(character, character.toLowerCase()),
  }));
}

function isForm({ upper, lower }: CaselessCharacter, character: string): boolean {
  return (
    character === lower ||
    character === upper ||
    formOf(character, character.toLowerCase()) === lower ||
    formOf(character, character.toUpperCase()) === upper
  );
}

/** The place behind the pattern where it stands in `text` from `from` on; undefined where it does not. */
function endOf(pattern: CaselessText, text: string, from: number): number | undefined {
  let at = from;
  for (const form of pattern) {
    const code = text.codePointAt(at);
    if (code === undefined) return undefined;
    const character = String.fromCodePoint(code);
    if (!isForm(form, character)) return undefined;
    at += character.length;
  }
  return at;
}

export function startsCaseless(pattern: CaselessText, text: string): boolean {
  return endOf(pattern, text, 0) !== undefined;
}

export function equalsCaseless(pattern: CaselessText, text: string): boolean {
  return endOf(pattern, text, 0) === text.length;
}

export function endsCaseless(pattern: CaselessText, text: string): boolean {
  // Where the text's last characters, as many as the pattern has, begin.
  let from = text.length;
  for (let count = 0; count < pattern.length && from > 0; count += 1) {
    from -= from > 1 && (text.codePointAt(from - 2) ?? 0) > 0xffff ? 2 : 1;
  }
  return endOf(pattern, text, from) === text.length;
}
