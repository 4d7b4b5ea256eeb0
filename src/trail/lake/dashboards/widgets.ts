import type { RequestWidget, Widget } from '@aws-sdk/client-cloudtrail';
import { AwsFault, type Random } from '../../../kernel/index.ts';
import type { Call } from '../../../wire/index.ts';
import { checkStores, storeIdsOf } from '../api/queries.ts';
import { invalidParameter, type LakeOperationParts } from '../api/lake-operation.ts';
import type { WidgetDocument } from './dashboard-documents.ts';
import { fillWidget, isParameterName, valuesFor } from './query-parameters.ts';

const mostWidgets = 10;

/** What the view of a widget needs beside what every view does ("View properties for widgets"). */
const requiredOf: Readonly<Record<string, readonly string[]>> = {
  Table: [],
  LineChart: ['YAxisColumn', 'XAxisColumn'],
  PieChart: ['LabelColumn', 'ValueColumn'],
  BarChart: ['LabelColumn', 'ValueColumn'],
};
const everyView = ['Height', 'Width', 'Title', 'View'];

function checkView(view: Readonly<Record<string, string>>): void {
  const kind = view['View'] ?? '';
  if (kind !== '' && !Object.hasOwn(requiredOf, kind))
    throw invalidParameter(`The view ${kind} is none of ${Object.keys(requiredOf).join(', ')}.`);
  const missing = [...everyView, ...(requiredOf[kind] ?? [])].find((name) => view[name] === undefined);
  if (missing !== undefined)
    throw invalidParameter(`ViewProperties of ${kind || 'a widget'} need ${missing}, which is missing.`);
  const { Orientation } = view;
  if (kind === 'BarChart' && Orientation !== undefined && !/^(?:Horizontal|Vertical)$/.test(Orientation))
    throw invalidParameter(`Orientation is Horizontal or Vertical, not ${Orientation}.`);
}

function checkParameters(parameters: readonly string[] | undefined): void {
  const unknown = parameters?.find((name) => !isParameterName(name));
  if (unknown !== undefined)
    throw invalidParameter(
      `${unknown} is no query parameter of custom dashboards: $StartTime$, $EndTime$ and $Period$ are.`,
    );
}

/** The statement as a refresh at this moment would run it. Throws InvalidQueryStatementException. */
function sampleOf(widget: Pick<WidgetDocument, 'statement' | 'parameters'>, { time }: Call): string {
  const filled = fillWidget(widget, valuesFor(undefined, time));
  if (filled.kind === 'refused') throw new AwsFault('InvalidQueryStatementException', filled.message);
  return filled.statement;
}

const queryOf = ({ QueryStatement = '', QueryParameters }: RequestWidget) => ({
  statement: QueryStatement,
  ...(QueryParameters && { parameters: QueryParameters }),
});

const sameQuery = (one: Pick<WidgetDocument, 'statement' | 'parameters'>, other: WidgetDocument): boolean =>
  one.statement === other.statement && JSON.stringify(one.parameters) === JSON.stringify(other.parameters);

/**
 * Checks the widgets of a request and names their queries. A query that the dashboard had before keeps its alias, so that
 * what it last found stays with it. Throws ServiceQuotaExceededException above ten, InvalidParameterException,
 * InvalidQueryStatementException, and InactiveEventDataStoreException.
 */
export async function checkWidgets(
  widgets: readonly RequestWidget[],
  old: readonly WidgetDocument[],
  call: Call,
  parts: LakeOperationParts,
): Promise<readonly WidgetDocument[]> {
  if (widgets.length > mostWidgets)
    throw new AwsFault(
      'ServiceQuotaExceededException',
      `The dashboard would have ${widgets.length} widgets; it can have ${mostWidgets}.`,
    );
  const left = [...old];
  const checked: WidgetDocument[] = [];
  for (const widget of widgets) {
    const query = queryOf(widget);
    const { ViewProperties: view = {} } = widget;
    checkView(view);
    checkParameters(query.parameters);
    const storeIds = await storeIdsOf(sampleOf(query, call), call, parts);
    await checkStores(storeIds, call, parts);
    const at = left.findIndex((one) => sameQuery(query, one));
    const [known] = at < 0 ? [] : left.splice(at, 1);
    const alias = known?.alias ?? newAlias(parts.random);
    checked.push({ alias, ...query, view, storeIds });
  }
  return checked;
}

function newAlias(random: Random): string {
  return `widget-${random.uuid()}`;
}

/** The statements that the queries of a request's widgets would be, as far as they can be told; for their permissions. */
export function statementsOf(widgets: readonly RequestWidget[], call: Call): readonly string[] {
  return widgets.slice(0, mostWidgets).flatMap((widget) => {
    const filled = fillWidget(queryOf(widget), valuesFor(undefined, call.time));
    return filled.kind === 'filled' ? [filled.statement] : [];
  });
}

export function shownWidget({ alias, statement, parameters, view }: WidgetDocument): Widget {
  return {
    QueryAlias: alias,
    QueryStatement: statement,
    ...(parameters && { QueryParameters: [...parameters] }),
    ViewProperties: { ...view },
  };
}
