import type { AdvancedEventSelector, AdvancedFieldSelector } from '@aws-sdk/client-cloudtrail';
import { invalidSelectors } from './check-basic.ts';
import { selectorFields, selectorOperators, type SelectorOperator } from './compile-advanced.ts';

const mostValues = 500;

/** What an advanced selector belongs to; event data stores know more categories and more fields. */
export type SelectorOwner = 'trail' | 'eventdatastore';

/** What a field takes. Without `operators` any, without `values` any text. */
interface FieldRule {
  readonly operators?: readonly SelectorOperator[];
  readonly values?: readonly string[] | RegExp;
  /** Has to be there. */
  readonly required?: true;
  /** Takes one value, and stands once in a selector. */
  readonly single?: true;
}

type FieldRules = Readonly<Record<string, FieldRule>>;

const flag: FieldRule = { operators: ['Equals'], values: ['true', 'false'], single: true };
const consoleFlag: FieldRule = { operators: ['Equals', 'NotEquals'], values: ['true'], single: true };
const any: FieldRule = {};

const managementOfTrails: FieldRules = {
  eventSource: { operators: ['NotEquals'], values: ['kms.amazonaws.com', 'rdsdata.amazonaws.com'] },
  readOnly: flag,
};
const managementOfStores: FieldRules = {
  eventName: any,
  eventSource: any,
  eventType: any,
  readOnly: flag,
  sessionCredentialFromConsole: consoleFlag,
  'userIdentity.arn': any,
};
const data: FieldRules = {
  'resources.type': {
    operators: ['Equals'],
    values: /^AWS::[A-Za-z0-9]+::[A-Za-z0-9]+$/u,
    required: true,
    single: true,
  },
  eventName: any,
  eventSource: any,
  eventType: any,
  readOnly: flag,
  'resources.ARN': any,
  sessionCredentialFromConsole: consoleFlag,
  'userIdentity.arn': any,
};
const networkActivity: FieldRules = {
  eventSource: { operators: ['Equals'], values: /^[a-z0-9.-]+\.amazonaws\.com$/u, required: true },
  eventName: any,
  errorCode: { operators: ['Equals', 'NotEquals'], values: ['VpceAccessDenied'] },
  vpcEndpointId: any,
};

/**
 * Fields beside eventCategory, by category ("AdvancedEventSelector"). That a trail may log ActivityAuditLog, what other
 * systems handed in, is Cairn's own.
 */
const rules: Readonly<Record<SelectorOwner, Readonly<Record<string, FieldRules>>>> = {
  trail: {
    Management: managementOfTrails,
    Data: data,
    NetworkActivity: networkActivity,
    ActivityAuditLog: {},
  },
  eventdatastore: {
    Management: managementOfStores,
    Data: data,
    NetworkActivity: networkActivity,
    ActivityAuditLog: {},
    Insight: {},
    ConfigurationItem: {},
    Evidence: {},
  },
};

const valuesOf = (selector: AdvancedFieldSelector): readonly string[] =>
  selectorOperators.flatMap((operator) => selector[operator] ?? []);

/** The one category that a selector is about. */
function categoryOf(fields: readonly AdvancedFieldSelector[], known: readonly string[]): string {
  const stated = fields.filter(({ Field }) => Field === 'eventCategory');
  const [first] = stated;
  const [category, ...more] = first ? valuesOf(first) : [];
  if (!first || stated.length > 1 || category === undefined || more.length > 0 || !first.Equals) {
    throw invalidSelectors('Each advanced event selector must have eventCategory once, Equals one value.');
  }
  if (!known.includes(category)) {
    throw invalidSelectors(`Value ${category} for eventCategory is invalid; it takes ${known.join(', ')}.`);
  }
  return category;
}

function checkField(selector: AdvancedFieldSelector, rule: FieldRule): void {
  const { Field: field } = selector;
  const given = selectorOperators.filter((operator) => selector[operator] !== undefined);
  if (valuesOf(selector).length === 0) throw invalidSelectors(`Field ${field} must have a value.`);
  const wrong = given.find((operator) => rule.operators?.includes(operator) === false);
  if (wrong !== undefined) {
    throw invalidSelectors(
      `Operator ${wrong} is invalid for field ${field}; it takes ${rule.operators?.join(', ')}.`,
    );
  }
  for (const value of valuesOf(selector)) {
    if (value === '') throw invalidSelectors(`Field ${field} cannot have an empty value.`);
    const isKnown = rule.values instanceof RegExp ? rule.values.test(value) : rule.values?.includes(value);
    if (isKnown === false) throw invalidSelectors(`Value ${value} for field ${field} is invalid.`);
  }
  if (rule.single && valuesOf(selector).length > 1) {
    throw invalidSelectors(`Field ${field} takes one value; add another selector for others.`);
  }
}

function checkOne({ FieldSelectors = [] }: AdvancedEventSelector, owner: SelectorOwner): void {
  const category = categoryOf(FieldSelectors, Object.keys(rules[owner]));
  const fields = rules[owner][category] ?? {};
  const seen = new Set<string>();
  for (const selector of FieldSelectors) {
    const { Field: field = '' } = selector;
    if (field === 'eventCategory') continue;
    const rule = fields[field];
    if (!rule) {
      const why = selectorFields.includes(field) ? `cannot be used with ${category} events` : 'is not known';
      throw invalidSelectors(`Field ${field} ${why}.`);
    }
    if (seen.has(field)) throw invalidSelectors(`Field ${field} stands more than once in one selector.`);
    seen.add(field);
    checkField(selector, rule);
  }
  for (const [field, rule] of Object.entries(fields)) {
    if (rule.required && !seen.has(field)) {
      throw invalidSelectors(`Selectors for ${category} events must have the field ${field}.`);
    }
  }
}

/**
 * Checks advanced event selectors (PutEventSelectors, CreateEventDataStore). Throws InvalidEventSelectorsException for
 * everything that would not be understood wholly, and above 500 values.
 */
export function checkAdvancedSelectors(
  selectors: readonly AdvancedEventSelector[],
  owner: SelectorOwner,
): void {
  if (selectors.length === 0) throw invalidSelectors('There must be at least one advanced event selector.');
  const count = selectors
    .flatMap(({ FieldSelectors = [] }) => FieldSelectors)
    .reduce((sum, selector) => sum + valuesOf(selector).length, 0);
  if (count > mostValues) {
    throw invalidSelectors(`Advanced event selectors can have ${mostValues} values in all, not ${count}.`);
  }
  for (const selector of selectors) checkOne(selector, owner);
}
