import type { StateView } from '../../../state/index.ts';
import { invalidParameter } from '../api/lake-operation.ts';
import { readDashboards } from './dashboard-documents.ts';
import { checkValue, fillStatement, isParameterName } from './query-parameters.ts';

/**
 * The statement that StartQuery runs for the alias of a widget, with a value for each of the widget's parameters in their
 * order. Throws InvalidParameterException.
 */
export async function statementOfAlias(
  view: StateView,
  { accountId, region }: { readonly accountId: string; readonly region: string },
  alias: string,
  values: readonly string[] = [],
): Promise<string> {
  const widgets = (await readDashboards(view, accountId, region)).flatMap((dashboard) => dashboard.widgets);
  const widget = widgets.find((one) => one.alias === alias);
  if (!widget) throw invalidParameter(`No widget of a dashboard has the query alias ${alias}.`);
  const { parameters = [] } = widget;
  if (parameters.length !== values.length) {
    const message = `The query ${alias} has ${parameters.length} parameters (${parameters.join(', ')}); ${values.length} values are given.`;
    throw invalidParameter(message);
  }
  for (const [at, name] of parameters.entries())
    if (isParameterName(name)) checkValue(name, values[at] ?? '');
  const filled = fillStatement(widget.statement, widget.parameters && values);
  if (filled.kind === 'refused') throw invalidParameter(filled.message);
  return filled.statement;
}
