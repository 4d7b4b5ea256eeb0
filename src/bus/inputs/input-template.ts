/**
 * Input templates ("Amazon EventBridge input transformation"): a string in quotes, or other JSON, with placeholders
 * `<name>` for values of the event. In a string a placeholder gives the text of the value; as a value of its own it gives
 * the value as JSON. The characters < and > cannot be escaped: whatever stands between them within a string or outside of
 * any is a placeholder.
 */
export interface InputTemplate {
  /** Literal text and placeholders, in order. White space outside strings is left out, as EventBridge minifies. */
  readonly parts: readonly TemplatePart[];
  /** Whether it is a JSON object. */
  readonly isObject: boolean;
}

export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'placeholder'; readonly name: string; readonly inString: boolean };

const token = /<(?<name>[^<>"\\]*)>|\\.|["<]|\s+|[^<"\\\s]+/gsu;

/** Splits a template; it need not be valid. */
function split(text: string): TemplatePart[] {
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
    if (inString || written.trim() !== '') add(written);
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

export function readTemplate(text: string): ReadTemplate {
  const parts = split(text);
  if (hasKeyWithPlaceholder(parts)) return { kind: 'refused', reason: keyWithPlaceholder };
  try {
    const value = JSON.parse(sample(parts)) as unknown;
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return { kind: 'template', template: { parts, isObject } };
  } catch (error) {
    return {
      kind: 'refused',
      reason: `It is neither a string in quotes nor valid JSON: ${(error as Error).message}`,
    };
  }
}
