/** Draws a whole number below a bound. */
type Draw = (bound: number) => number;

type Kind =
  | 'integer'
  | 'bigint'
  | 'double'
  | 'decimal'
  | 'varchar'
  | 'boolean'
  | 'timestamp'
  | 'date'
  | 'interval'
  | 'json'
  | 'integers'
  | 'texts'
  | 'map';

interface Around {
  readonly draw: Draw;
  /** Columns in sight, by kind. */
  readonly names: Readonly<Partial<Record<Kind, readonly string[]>>>;
  readonly depth: number;
}

type Rule = (around: Around) => string;

function pick<T>(draw: Draw, items: readonly T[]): T {
  return items[draw(items.length)] as T;
}

const literals: Readonly<Record<Kind, readonly string[]>> = {
  integer: ['0', '1', '7', '-3', '2147483647', 'NULL'],
  bigint: ['3000000000', "BIGINT '5'", 'CAST(NULL AS bigint)'],
  double: ['0e0', '1.5e0', '-2e3', 'nan()', 'infinity()'],
  decimal: ['1.5', '0.00', '-12.345', '100.0'],
  varchar: ["''", "'abc'", "'a,b'", "'2023-01-22'", "'7'", '\'{"a":1}\'', 'NULL'],
  boolean: ['true', 'false', 'NULL'],
  timestamp: ["TIMESTAMP '2023-01-22 10:11:12.345'", "TIMESTAMP '2023-01-22 00:00:00 UTC'", 'now()'],
  date: ["DATE '2023-01-22'", 'current_date'],
  interval: ["INTERVAL '1' DAY", "INTERVAL '3' HOUR"],
  json: ["JSON '[1,2]'", 'JSON \'{"a":"x"}\''],
  integers: ['ARRAY[1, 2, NULL]', 'ARRAY[]', 'sequence(1, 3)'],
  texts: ["ARRAY['a', 'b']", "split('a-b', '-')"],
  map: ["MAP(ARRAY['a', 'b'], ARRAY['1', '2'])"],
};

const some =
  (kind: Kind): Rule =>
  (around) =>
    randomExpression({ ...around, depth: around.depth - 1 }, kind);
/** `1`, `2` … in the text stand for the expressions. */
const call =
  (text: string, ...kinds: readonly Kind[]): Rule =>
  (around) =>
    text.replaceAll(/#(\d)/g, (_all, index: string) => some(kinds[Number(index) - 1] ?? 'integer')(around));

/** A lambda over a column of a kind. */
const lambda =
  (text: string, list: Kind, parameter: string, kind: Kind, body: Kind): Rule =>
  (around) => {
    const inner: Around = {
      ...around,
      names: { ...around.names, [kind]: [parameter, ...(around.names[kind] ?? [])] },
    };
    return text
      .replace('#1', () => some(list)(around))
      .replace('#2', () => `${parameter} -> ${some(body)(inner)}`);
  };

const rules: Readonly<Record<Kind, readonly Rule[]>> = {
  integer: [
    call('(#1 + #2)', 'integer', 'integer'),
    call('(#1 / #2)', 'integer', 'integer'),
    call('(#1 % 7)', 'integer'),
    call('CAST(#1 AS integer)', 'double'),
    call('TRY_CAST(#1 AS integer)', 'varchar'),
    call('-#1', 'integer'),
    call('#1[1]', 'integers'),
    call('try(#1 / #2)', 'integer', 'integer'),
    call('CASE #1 WHEN #2 THEN #3 ELSE 5 END', 'varchar', 'varchar', 'integer'),
    call('greatest(#1, #2)', 'integer', 'integer'),
    call('codepoint(#1)', 'varchar'),
  ],
  bigint: [
    call('length(#1)', 'varchar'),
    call('(#1 * #2)', 'bigint', 'integer'),
    call("date_diff('hour', #1, #2)", 'timestamp', 'timestamp'),
    call('cardinality(#1)', 'integers'),
    call('cardinality(#1)', 'map'),
    call('strpos(#1, #2)', 'varchar', 'varchar'),
    call('extract(DAY FROM #1)', 'timestamp'),
    call('year(#1)', 'date'),
    call('json_array_length(#1)', 'json'),
    call('array_position(#1, #2)', 'integers', 'integer'),
    call('mod(#1, #2)', 'bigint', 'integer'),
    call('bitwise_and(#1, #2)', 'bigint', 'integer'),
  ],
  double: [
    call('sqrt(#1)', 'double'),
    call('(#1 / #2)', 'double', 'integer'),
    call('CAST(#1 AS double)', 'decimal'),
    call('ln(#1)', 'bigint'),
    call('round(#1, 2)', 'double'),
    call('to_unixtime(#1)', 'timestamp'),
    call('power(#1, #2)', 'integer', 'double'),
    call('cbrt(#1)', 'double'),
  ],
  decimal: [
    call('(#1 + #2)', 'decimal', 'integer'),
    call('(#1 / #2)', 'decimal', 'decimal'),
    call('(#1 * #2)', 'decimal', 'decimal'),
    call('(#1 % #2)', 'decimal', 'integer'),
    call('round(#1, 1)', 'decimal'),
    call('abs(#1)', 'decimal'),
    call('CAST(#1 AS decimal(10,2))', 'integer'),
  ],
  varchar: [
    call('(#1 || #2)', 'varchar', 'varchar'),
    call('upper(#1)', 'varchar'),
    call('substr(#1, #2)', 'varchar', 'integer'),
    call('substr(#1, #2, #3)', 'varchar', 'integer', 'integer'),
    call("split_part(#1, ',', 2)", 'varchar'),
    call('CAST(#1 AS varchar)', 'double'),
    call('CAST(#1 AS varchar)', 'timestamp'),
    call('CAST(#1 AS varchar)', 'decimal'),
    call("date_format(#1, '%Y-%m')", 'timestamp'),
    call('element_at(#1, #2)', 'map', 'varchar'),
    call("regexp_extract(#1, '([a-z])(\\d*)', 1)", 'varchar'),
    call("regexp_replace(#1, '[a-c]+', '<$0>')", 'varchar'),
    call("array_join(#1, '-')", 'integers'),
    call('array_join(#1, #2)', 'texts', 'varchar'),
    call("json_extract_scalar(#1, '$.a')", 'varchar'),
    call('json_format(#1)', 'json'),
    call('coalesce(#1, #2)', 'varchar', 'varchar'),
    call('nullif(#1, #2)', 'varchar', 'varchar'),
    call('trim(#1)', 'varchar'),
    call('to_hex(md5(to_utf8(#1)))', 'varchar'),
    call('typeof(#1)', 'map'),
    call('url_extract_host(#1)', 'varchar'),
    call('to_iso8601(#1)', 'timestamp'),
  ],
  boolean: [
    call('(#1 = #2)', 'varchar', 'varchar'),
    call('(#1 < #2)', 'decimal', 'double'),
    call('(#1 AND #2 OR #3)', 'boolean', 'boolean', 'boolean'),
    call('(NOT #1)', 'boolean'),
    call('(#1 LIKE #2)', 'varchar', 'varchar'),
    call("(#1 LIKE '%a_')", 'varchar'),
    call('(#1 IN (#2, #3))', 'integer', 'integer', 'bigint'),
    call('(#1 BETWEEN #2 AND #3)', 'timestamp', 'timestamp', 'date'),
    call("(#1 > '2023-01-01 00:00:00')", 'timestamp'),
    call('(#1 IS DISTINCT FROM #2)', 'date', 'date'),
    call('(#1 IS NULL)', 'map'),
    call('contains(#1, #2)', 'integers', 'integer'),
    call("regexp_like(#1, '^a.*$')", 'varchar'),
    lambda('any_match(#1, #2)', 'integers', 'i', 'integer', 'boolean'),
    lambda('all_match(#1, #2)', 'texts', 's', 'varchar', 'boolean'),
    call('(#1 = #2)', 'integers', 'integers'),
    call('EXISTS (SELECT 1 WHERE #1)', 'boolean'),
    call('(#1 IN (SELECT #2))', 'integer', 'integer'),
    call('(#1 >= ALL (VALUES 1, 2))', 'integer'),
    call('is_nan(#1)', 'double'),
  ],
  timestamp: [
    call("date_trunc('day', #1)", 'timestamp'),
    call("date_add('month', #1, #2)", 'integer', 'timestamp'),
    call('(#1 + #2)', 'timestamp', 'interval'),
    call("(#1 AT TIME ZONE 'America/New_York')", 'timestamp'),
    call('CAST(#1 AS timestamp)', 'date'),
    call('TRY_CAST(#1 AS timestamp)', 'varchar'),
    call('from_unixtime(#1)', 'integer'),
  ],
  date: [
    call('date(#1)', 'timestamp'),
    call("(#1 + INTERVAL '1' MONTH)", 'date'),
    call("date_add('week', 1, #1)", 'date'),
    call('last_day_of_month(#1)', 'date'),
  ],
  interval: [
    call('(#1 * 2)', 'interval'),
    call('(#1 - #2)', 'timestamp', 'timestamp'),
    call('(#1 + #2)', 'interval', 'interval'),
  ],
  json: [
    call('CAST(#1 AS json)', 'integers'),
    call('CAST(#1 AS json)', 'map'),
    call('CAST(#1 AS json)', 'varchar'),
    call("json_extract(#1, '$.a')", 'json'),
    call('TRY(json_parse(#1))', 'varchar'),
    call('CAST(ROW(#1, #2) AS json)', 'timestamp', 'double'),
  ],
  integers: [
    call('ARRAY[#1, #2]', 'integer', 'integer'),
    call('(#1 || #2)', 'integers', 'integer'),
    call('array_distinct(#1)', 'integers'),
    lambda('transform(#1, #2)', 'integers', 'i', 'integer', 'integer'),
    lambda('filter(#1, #2)', 'integers', 'i', 'integer', 'boolean'),
    call('slice(#1, #2, 2)', 'integers', 'integer'),
    call('array_sort(#1)', 'integers'),
    call('CAST(#1 AS array(integer))', 'json'),
    call('array_except(#1, #2)', 'integers', 'integers'),
  ],
  texts: [
    call("split(#1, ',')", 'varchar'),
    call('map_keys(#1)', 'map'),
    call('ARRAY[#1]', 'varchar'),
    lambda('transform(#1, #2)', 'integers', 'i', 'integer', 'varchar'),
    call("regexp_split(#1, '[,;]')", 'varchar'),
  ],
  map: [
    call('map_concat(#1, #2)', 'map', 'map'),
    call('map_filter(#1, (k, v) -> k < v)', 'map'),
    call('transform_values(#1, (k, v) -> v || k)', 'map'),
    call("split_to_map(#1, ',', '=')", 'varchar'),
    call('TRY_CAST(#1 AS map(varchar, varchar))', 'json'),
  ],
};

/** An expression of a kind: a column, a literal or a call. */
function randomExpression(around: Around, kind: Kind): string {
  const { draw, names, depth } = around;
  const columns = names[kind] ?? [];
  if (columns.length > 0 && draw(3) === 0) return pick(draw, columns);
  if (depth <= 0 || draw(4) === 0) return pick(draw, literals[kind]);
  return pick(draw, rules[kind])(around);
}

const kinds = Object.keys(rules) as Kind[];
const groupable: readonly Kind[] = [
  'integer',
  'bigint',
  'double',
  'decimal',
  'varchar',
  'boolean',
  'timestamp',
  'date',
  'integers',
  'texts',
];

const columnsOfEvents: Around['names'] = {
  varchar: [
    'eventName',
    'userIdentity.arn',
    'e.userIdentity.sessionContext.sessionIssuer.userName',
    'errorCode',
    "element_at(requestParameters, 'bucketName')",
  ],
  timestamp: ['eventTime', 'userIdentity.sessionContext.attributes.creationDate'],
  boolean: ['readOnly', 'managementEvent'],
  map: ['requestParameters', 'additionalEventData'],
  texts: ['transform(resources, r -> r.arn)'],
};

const aggregates: readonly (readonly [string, Kind])[] = [
  ['count(*)', 'integer'],
  ['count(DISTINCT #)', 'varchar'],
  ['sum(#)', 'decimal'],
  ['avg(#)', 'bigint'],
  ['max(#)', 'timestamp'],
  ['min_by(#, eventTime)', 'map'],
  ['array_agg(# ORDER BY eventTime)', 'varchar'],
  ['bool_or(#)', 'boolean'],
  ['map_agg(eventName, #)', 'integer'],
  ['approx_percentile(#, 0.5)', 'double'],
  ["listagg(#, ',') WITHIN GROUP (ORDER BY eventID)", 'varchar'],
  ['count(*) FILTER (WHERE #)', 'boolean'],
];

const windows: readonly (readonly [string, Kind])[] = [
  ['row_number() OVER (ORDER BY #)', 'timestamp'],
  ['lag(#) OVER (PARTITION BY awsRegion ORDER BY eventTime)', 'varchar'],
  ['sum(#) OVER (ORDER BY eventID ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)', 'integer'],
  ['first_value(#) IGNORE NULLS OVER (ORDER BY eventID)', 'double'],
];

/** A random SELECT over an event data store: plain, grouped, with windows, or several joined by a set operation. */
export function randomQuery(draw: Draw, store: string): string {
  const around: Around = { draw, names: columnsOfEvents, depth: 3 };
  const expression = (kind: Kind): string => randomExpression(around, kind);
  const where = draw(2) === 0 ? '' : ` WHERE ${expression('boolean')}`;
  const fill = ([text, kind]: readonly [string, Kind]): string => text.replace('#', () => expression(kind));
  switch (draw(4)) {
    case 0: {
      const keys = Array.from({ length: 1 + draw(2) }, () => expression(pick(draw, groupable)));
      const items = [...keys, ...Array.from({ length: 2 }, () => fill(pick(draw, aggregates)))];
      const having = draw(3) === 0 ? ` HAVING count(*) > ${draw(3)}` : '';
      const grouping =
        draw(4) === 0 ? `ROLLUP (${keys.join(', ')})` : keys.map((_key, index) => index + 1).join(', ');
      return `SELECT ${items.join(', ')} FROM ${store} e${where} GROUP BY ${grouping}${having} ORDER BY ${items.length}, 1 LIMIT 5`;
    }
    case 1:
      return `SELECT eventID, ${fill(pick(draw, windows))} AS w, ${expression(pick(draw, kinds))} FROM ${store} e${where} ORDER BY eventID DESC`;
    case 2: {
      const shared = Array.from({ length: 2 }, () => pick(draw, groupable));
      const side = (): string => `SELECT ${shared.map(expression).join(', ')} FROM ${store} e${where}`;
      return `${side()} ${pick(draw, ['UNION', 'UNION ALL', 'EXCEPT', 'INTERSECT'])} ${side()}`;
    }
    default:
      return `WITH q AS (SELECT ${expression(pick(draw, kinds))} AS x, eventID FROM ${store} e${where}) SELECT q.*, u.n FROM q LEFT JOIN UNNEST(${expression('integers').replaceAll(/\b(?:e\.\w|eventName|userIdentity|errorCode|eventTime|readOnly|managementEvent|requestParameters|additionalEventData|resources)\b/g, 'NULL')}) AS u(n) ON true`;
  }
}
