/** What a template can say of the event and its rule without a path ("Amazon EventBridge input transformation"). */
export interface EventContext {
  readonly ruleArn: string;
  readonly ruleName: string;
  /** When the event came in; ISO 8601. */
  readonly ingestionTime: string;
}

type Variable = (event: unknown, context: EventContext) => unknown;

/** The event without its detail, and with detailType in place of detail-type, as EventBridge gives it. */
function withoutDetail(event: unknown): unknown {
  if (typeof event !== 'object' || event === null) return event;
  return Object.fromEntries(
    Object.entries(event)
      .filter(([name]) => name !== 'detail')
      .map(([name, value]) => [name === 'detail-type' ? 'detailType' : name, value as unknown]),
  );
}

const variables: Readonly<Record<string, Variable>> = {
  'aws.events.rule-arn': (_event, { ruleArn }) => ruleArn,
  'aws.events.rule-name': (_event, { ruleName }) => ruleName,
  'aws.events.event.ingestion-time': (_event, { ingestionTime }) => ingestionTime,
  'aws.events.event': withoutDetail,
  'aws.events.event.json': (event) => event,
};

export function isReserved(name: string): boolean {
  return Object.hasOwn(variables, name);
}

/** Whether a variable stands for an object, which can only be a value of JSON. */
export function isWholeEvent(name: string): boolean {
  return name === 'aws.events.event' || name === 'aws.events.event.json';
}

export function reservedValue(name: string, event: unknown, context: EventContext): unknown {
  return variables[name]?.(event, context);
}
