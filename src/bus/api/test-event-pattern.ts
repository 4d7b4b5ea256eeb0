import type { TestEventPatternRequest, TestEventPatternResponse } from '@aws-sdk/client-eventbridge';
import type { BusOperation } from '../bus-operation.ts';
import { invalidParameter } from '../faults.ts';
import { checkedPattern } from '../checked-pattern.ts';
import { matchesEvent, parseEvent } from '../patterns/index.ts';

/** "The following fields are mandatory" (TestEventPattern), which names `resources` as well; EventBridge takes events without them. */
const mandatory = ['id', 'account', 'source', 'time', 'region', 'detail-type'] as const;

function requireEvent(text: string): unknown {
  let event: unknown;
  try {
    event = parseEvent(text);
  } catch {
    throw invalidParameter('Event', 'It is not JSON.');
  }
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    throw invalidParameter('Event', 'It is not a JSON object.');
  }
  const missing = mandatory.filter((field) => !Object.hasOwn(event, field));
  if (missing.length > 0) throw invalidParameter('Event', `It lacks ${missing.join(', ')}.`);
  return event;
}

export const TestEventPattern: BusOperation<TestEventPatternRequest, TestEventPatternResponse> = {
  access: 'read',
  needs: () => [{ action: 'events:TestEventPattern', resource: '*' }],
  async handle({ EventPattern, Event }) {
    const pattern = checkedPattern(EventPattern);
    return { Result: matchesEvent(pattern, requireEvent(Event)) };
  },
};
