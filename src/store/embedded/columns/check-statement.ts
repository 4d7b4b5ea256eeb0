import { StatementType, type DuckDBPreparedStatement } from '@duckdb/node-api';
import type { EngineInstance } from './engine-instance.ts';
import { quoteText } from './table-sql.ts';

/** Table functions that read nothing but their arguments. */
const harmlessTableFunctions = new Set(['unnest', 'range', 'generate_series']);

function* nodesOf(value: unknown): Iterable<Readonly<Record<string, unknown>>> {
  if (Array.isArray(value)) {
    for (const item of value) yield* nodesOf(item);
  } else if (typeof value === 'object' && value !== null) {
    yield value as Readonly<Record<string, unknown>>;
    for (const member of Object.values(value)) yield* nodesOf(member);
  }
}

/** The names that WITH gives within the statement. */
function commonTableNames(tree: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { cte_map: map } of nodesOf(tree)) {
    const entries = (map as { readonly map?: readonly { readonly key: string }[] } | undefined)?.map ?? [];
    for (const { key } of entries) names.add(key.toLowerCase());
  }
  for (const { cte_name: name } of nodesOf(tree)) if (typeof name === 'string') names.add(name.toLowerCase());
  return names;
}

function tableProblem(tree: unknown, views: readonly string[]): string | undefined {
  const known = new Set([...views.map((view) => view.toLowerCase()), ...commonTableNames(tree)]);
  for (const node of nodesOf(tree)) {
    if (node['type'] === 'TABLE_FUNCTION') {
      const name = String(
        (node['function'] as { readonly function_name?: unknown } | undefined)?.function_name,
      );
      if (!harmlessTableFunctions.has(name)) return `the table function ${name} is not allowed`;
    }
    if (node['type'] === 'BASE_TABLE') {
      const name = String(node['table_name']);
      const isPlain = node['schema_name'] === '' && node['catalog_name'] === '';
      if (!isPlain || !known.has(name.toLowerCase())) return `the table ${name} is not allowed`;
    }
    if (node['type'] === 'SHOW_REF') return 'SHOW and DESCRIBE are not allowed';
  }
  return undefined;
}

/** What a query did wrong, or more than it may. */
export class QueryProblem extends Error {
  override name = 'QueryProblem';
}

/**
 * The second look at a statement, by the engine's own parser: it is one SELECT, and reads the views that were made for it
 * and nothing else. Throws a QueryProblem that says what is wrong with it.
 */
export async function prepareStatement(
  engine: EngineInstance,
  sql: string,
  views: readonly string[],
): Promise<DuckDBPreparedStatement> {
  const statements = await engine.connection.extractStatements(sql);
  if (statements.count !== 1) throw new QueryProblem('a query is one statement');
  const [[text] = []] = await engine.rows(`SELECT json_serialize_sql(${quoteText(sql)})`);
  const tree = JSON.parse(text ?? '{}') as { readonly error?: boolean; readonly error_message?: string };
  if (tree.error !== false) throw new QueryProblem(tree.error_message ?? 'only SELECT is allowed');
  const problem = tableProblem(tree, views);
  if (problem !== undefined) throw new QueryProblem(problem);
  const prepared = await statements.prepare(0);
  if (prepared.statementType !== StatementType.SELECT) throw new QueryProblem('only SELECT is allowed');
  return prepared;
}
