/**
 * Events as JavaScript values. Numbers that JavaScript would write otherwise than the event has them (300.0, 1e3, more
 * digits than a double holds) stay as they were written, by V8's raw JSON: `JSON.stringify` gives them back unchanged.
 */
export interface RawNumber {
  readonly rawJSON: string;
}

/** What is no object and no array. */
export type Scalar = string | number | boolean | null | RawNumber;

// ECMAScript's "JSON.parse source text access", which TypeScript does not describe yet.
const json = JSON as unknown as {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
};

export function isRawNumber(value: unknown): value is RawNumber {
  return json.isRawJSON(value);
}

/** Whether a text may hold a number that JavaScript writes otherwise; what stands in strings may look like one. */
const unusualNumber = /[[:,\s](?:-?(?:\d[\d.]{15}|\d+\.\d*0(?!\d)|\d[\d.]*[eE]|0\.0{6})|-0(?![\d.]))/;

/**
 * Parses the JSON text of an event, keeping its numbers as they are written. Throws a SyntaxError for what is no JSON, or
 * is nested too deeply to be read.
 */
export function parseEvent(text: string): unknown {
  if (!unusualNumber.test(text)) return JSON.parse(text);
  try {
    return json.parse(text, (_key, value, { source }) =>
      typeof value === 'number' && source !== undefined && String(value) !== source
        ? json.rawJSON(source)
        : value,
    );
  } catch (error) {
    if (error instanceof RangeError) throw new SyntaxError('nested too deeply', { cause: error });
    throw error;
  }
}
