/**
 * Input templates ("Amazon EventBridge input transformation"): a string in quotes, or other JSON, with placeholders
 * `<name>` for values of the event. In a string a placeholder gives the text of the value; as a value of its own it gives
 * the value as JSON. The characters < and > cannot be escaped: whatever stands between them within a string or outside of
 * any is a placeholder. Several strings, each in quotes on a line of its own, are the lines of a message ("Creating custom
 * responses to GuardDuty findings" of GuardDuty's user guide).
 */
export interface InputTemplate {
  /** Literal text and placeholders, in order. White space outside strings is left out of JSON, as EventBridge minifies. */
  readonly parts: readonly TemplatePart[];
  /** Whether it is a JSON object. */
  readonly isObject: boolean;
}

export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'placeholder'; readonly name: string; readonly inString: boolean };

const token = /<(?<name>[^<>"\\]*)>|\\.?|["<]|\s+|[^<"\\\s]+/gsu;

/** Splits a template; it need not be valid. */
function split(text: string, keepsSpace: boolean): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let inString = false;
  const add = (added: string) => {
    const last = parts.at(-1);
    if (last?.kind === 'text') parts[parts.length - 1] = { kind: 'text', text: last.text + added };
    else parts.push({ kind: 'text', text: added });
  };
  for (const match of text.matchAll(token)) {
    const [written] = match;
    const name = match.groups?.['name'];
    if (name !== undefined) {
      parts.push({ kind: 'placeholder', name, inString });
      continue;
    }
    if (written === '"') inString = !inString;
    if (inString || keepsSpace || written.trim() !== '') add(written);
  }
  return parts;
}

export function placeholdersOf({ parts }: InputTemplate): string[] {
  return parts.flatMap((part) => (part.kind === 'placeholder' ? [part.name] : []));
}

export type ReadTemplate =
  | { readonly kind: 'template'; readonly template: InputTemplate }
  | { readonly kind: 'refused'; readonly reason: string };

/** The template as JSON, each placeholder replaced by something of its kind that stands for it. */
function sample(parts: readonly TemplatePart[]): string {
  return parts
    .map((part) => {
      if (part.kind === 'text') return part.text;
      return part.inString ? 'placeholder' : 'null';
    })
    .join('');
}

const keyWithPlaceholder = 'The placeholder cannot be used as an object key';

/** Whether a placeholder stands in the name of a member: in a string that a colon follows. */
function hasKeyWithPlaceholder(parts: readonly TemplatePart[]): boolean {
  return parts.some((part, index) => {
    if (part.kind !== 'placeholder') return false;
    const rest = sample(parts.slice(index + 1));
    return (part.inString ? /^(?:[^"\\]|\\.)*":/s : /^:/).test(rest);
  });
}

/** Strings in quotes with white space between them. */
const severalStrings = /^"(?:[^"\\]|\\.)*"(?:\s+"(?:[^"\\]|\\.)*")+$/s;

type ReadJson = { readonly value: unknown } | { readonly reason: string };

function readJson(text: string): ReadJson {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

function areStrings(parts: readonly TemplatePart[]): boolean {
  const text = sample(parts);
  if (!severalStrings.test(text)) return false;
  // They are valid if they are as items of an array.
  const items = text.replaceAll(/("(?:[^"\\]|\\.)*")\s+/gs, '$1,');
  return 'value' in readJson(`[${items}]`);
}

export function readTemplate(text: string): ReadTemplate {
  const lines = split(text.trim(), true);
  if (areStrings(lines)) return { kind: 'template', template: { parts: lines, isObject: false } };
  const parts = split(text, false);
  if (hasKeyWithPlaceholder(parts)) return { kind: 'refused', reason: keyWithPlaceholder };
  const json = readJson(sample(parts));
  if ('reason' in json) {
    return { kind: 'refused', reason: `It is neither a string in quotes nor valid JSON: ${json.reason}` };
  }
  const { value } = json;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return { kind: 'template', template: { parts, isObject } };
}
