import type { InputTransformer, Target } from '@aws-sdk/client-eventbridge';
import { limits } from '../../kernel/index.ts';
import { placeholdersOf, readTemplate } from './input-template.ts';
import { readJsonPath } from './json-path.ts';
import { isReserved, isWholeEvent } from './reserved-variables.ts';

const isPathKey = (key: string) => /^[A-Za-z0-9_-]{1,256}$/.test(key);

function checkPath(text: string, id: string): string | undefined {
  const refusal = `InputPath for target ${id} is invalid.`;
  if (text.length > limits.inputPathCharacters) {
    return `${refusal} A path has at most ${limits.inputPathCharacters} characters.`;
  }
  const read = readJsonPath(text);
  return read.kind === 'refused' ? `${refusal} ${read.reason}.` : undefined;
}

function checkPathsMap(paths: Readonly<Record<string, string>>, id: string): string | undefined {
  const keys = Object.keys(paths);
  const refusal = `InputPathsMap for target ${id} is invalid.`;
  if (keys.length > limits.inputPaths) return `${refusal} It has at most ${limits.inputPaths} entries.`;
  const wrong = keys.find((key) => !isPathKey(key) || /^aws\./i.test(key));
  if (wrong !== undefined) {
    return `${refusal} The key ${wrong} is not of letters, digits, - and _, or begins with AWS.`;
  }
  for (const path of Object.values(paths)) {
    const reason = checkPath(path, id);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function checkTransformer(transformer: InputTransformer, id: string): string | undefined {
  const { InputPathsMap: paths = {}, InputTemplate: text = '' } = transformer;
  const wrongPaths = checkPathsMap(paths, id);
  if (wrongPaths !== undefined) return wrongPaths;
  if (text.length === 0 || text.length > limits.inputTemplateCharacters) {
    return `InputTemplate for target ${id} must have 1 to ${limits.inputTemplateCharacters} characters.`;
  }
  const read = readTemplate(text);
  if (read.kind === 'refused') return `Invalid InputTemplate for target ${id} : ${read.reason}.`;
  const names = placeholdersOf(read.template);
  const unknown = names.find((name) => !Object.hasOwn(paths, name) && !isReserved(name));
  if (unknown !== undefined) {
    return `InputTemplate for target ${id} contains invalid placeholder ${unknown}.`;
  }
  // The event is not escaped, so it can be a value of JSON alone and no part of a string.
  const { parts, isObject } = read.template;
  const whole = parts.find(
    (part) => part.kind === 'placeholder' && isWholeEvent(part.name) && (part.inString || !isObject),
  );
  if (whole?.kind === 'placeholder') {
    return `InputTemplate for target ${id} contains placeholder ${whole.name} valid only for JSON template.`;
  }
  return undefined;
}

/**
 * Why PutTargets refuses what a target says of its input, in EventBridge's words where they are known; undefined where it
 * does not. Source: "Amazon EventBridge input transformation", and the API reference of Target and InputTransformer.
 */
export function checkInput(target: Target): string | undefined {
  const { Id: id = '', Input: input, InputPath: path, InputTransformer: transformer } = target;
  if ([input, path, transformer].filter((given) => given !== undefined).length > 1) {
    return `Only one of Input, InputPath, or InputTransformer must be provided for target ${id}.`;
  }
  if (path !== undefined) return checkPath(path, id);
  if (transformer !== undefined) return checkTransformer(transformer, id);
  if (input === undefined) return undefined;
  try {
    JSON.parse(input);
    return undefined;
  } catch {
    return `JSON syntax error in input for target ${id}.`;
  }
}
