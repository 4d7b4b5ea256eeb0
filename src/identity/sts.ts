import type { Change } from '../state/index.ts';
import type { Operations } from '../wire/index.ts';
import * as sessions from './api/sessions.ts';
import { bindOperations, type Parts } from './operation.ts';

/** The operations of STS that are present. */
export function openSts(parts: Parts): Operations<Change> {
  return bindOperations(parts, { ...sessions });
}
