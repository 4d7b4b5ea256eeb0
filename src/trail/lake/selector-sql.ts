import type { AdvancedEventSelector, AdvancedFieldSelector } from '@aws-sdk/client-cloudtrail';

/** Advanced event selectors as conditions of the engine's SQL, meaning what `compileAdvanced` of the trails means. */

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** The condition that the value matches one of those wanted. */
function anyOf(column: string, wanted: readonly string[], test: 'is' | 'begins' | 'ends'): string {
  if (test === 'is') return `${column} IN (${wanted.map(text).join(', ')})`;
  const name = test === 'begins' ? 'starts_with' : 'ends_with';
  return `(${wanted.map((value) => `${name}(${column}, ${text(value)})`).join(' OR ')})`;
}

/**
 * The conditions of one field over `column`: those of which one has to hold, and those of which none may ("How CloudTrail
 * evaluates multiple conditions for a field").
 */
function testsOf(selector: AdvancedFieldSelector, column: string) {
  const of = (values: readonly string[] | undefined, test: 'is' | 'begins' | 'ends') =>
    values === undefined ? [] : [anyOf(column, values, test)];
  return {
    including: [
      ...of(selector.Equals, 'is'),
      ...of(selector.StartsWith, 'begins'),
      ...of(selector.EndsWith, 'ends'),
    ],
    excluding: [
      ...of(selector.NotEquals, 'is'),
      ...of(selector.NotStartsWith, 'begins'),
      ...of(selector.NotEndsWith, 'ends'),
    ],
  };
}

function fieldCondition(selector: AdvancedFieldSelector, column: string): string {
  const { including, excluding } = testsOf(selector, column);
  const parts = excluding.map((test) => `NOT coalesce(${test}, false)`);
  if (including.length > 0) parts.push(`coalesce(${including.join(' OR ')}, false)`);
  return parts.length === 0 ? 'true' : parts.join(' AND ');
}

/** How the engine reads a field that an event has once. What comes from outside AWS has its members in `eventData`. */
const singleFields: Readonly<Record<string, string>> = {
  eventCategory: `coalesce("eventCategory", CASE WHEN "managementEvent" = false THEN 'Data' ELSE 'Management' END)`,
  eventName: '"eventName"',
  eventSource: '"eventSource"',
  eventType: '"eventType"',
  errorCode: '"errorCode"',
  readOnly: `CASE "readOnly" WHEN true THEN 'true' WHEN false THEN 'false' END`,
  sessionCredentialFromConsole: '"sessionCredentialFromConsole"',
  'userIdentity.arn': '"userIdentity".arn',
  vpcEndpointId: '"vpcEndpointId"',
};

/** `resources.type` and `resources.ARN` speak of the same resource: the ARN counts only of resources of that type. */
function resourceCondition(fields: readonly AdvancedFieldSelector[]): string | undefined {
  const types = fields.filter(({ Field }) => Field === 'resources.type');
  const arns = fields.filter(({ Field }) => Field === 'resources.ARN');
  if (types.length + arns.length === 0) return undefined;
  const ofType = types.map((one) => fieldCondition(one, 'r."type"'));
  const matching = `list_filter("resources", lambda r: ${ofType.length === 0 ? 'true' : ofType.join(' AND ')})`;
  const holds = (test: string) => `len(list_filter(${matching}, lambda r: coalesce(${test}, false))) > 0`;
  const tests = arns.flatMap((one) => {
    const { including, excluding } = testsOf(one, 'coalesce(r."ARN", r."ARNPrefix")');
    return [
      ...excluding.map((test) => `NOT (${holds(test)})`),
      ...(including.length > 0 ? [holds(including.join(' OR '))] : []),
    ];
  });
  return [`coalesce(len(${matching}), 0) > 0`, ...tests]
    .map((one) => `coalesce(${one}, false)`)
    .join(' AND ');
}

function selectorCondition({ FieldSelectors = [] }: AdvancedEventSelector): string {
  const single = FieldSelectors.flatMap((one) => {
    const column = singleFields[one.Field ?? ''];
    return column === undefined ? [] : [fieldCondition(one, column)];
  });
  const resources = resourceCondition(FieldSelectors);
  return `(${[...single, ...(resources === undefined ? [] : [resources])].map((one) => `(${one})`).join(' AND ')})`;
}

/** The condition that an event is one of those that the selectors choose: all fields of one selector match it. */
export function selectorsCondition(selectors: readonly AdvancedEventSelector[]): string {
  return `(${selectors.map(selectorCondition).join(' OR ')})`;
}
