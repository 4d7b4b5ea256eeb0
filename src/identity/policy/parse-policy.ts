import { limits } from '../../kernel/index.ts';
import { readJson, type JsonNode, type JsonObject } from './json-text.ts';
import { parseStatement } from './parse-statement.ts';
import type { ParsedPolicy, PolicyKind, PolicyVersion, Position, Statement } from './policy-types.ts';
import { inOrder, syntaxProblem, type RankedProblem, type Report } from './problems.ts';

function malformed(problems: readonly RankedProblem[]): ParsedPolicy {
  return { kind: 'malformed', problems: inOrder(problems) };
}

/** Finds the line and column of an offset; both count from 1. */
function positionFinder(text: string): (offset: number) => Position {
  const lineStarts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lineStarts.push(at + 1);
  return (offset) => {
    let [low, high] = [0, lineStarts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (lineStarts[low] ?? 0) + 1 };
  };
}

/**
 * The version of the language. Without one it is 2008-10-17, which has no policy variables. Identity-based policies and
 * boundaries have to be 2012-10-17; older ones IAM takes no more.
 */
function readVersion(node: JsonNode | undefined, kind: PolicyKind, report: Report): PolicyVersion {
  const text = node === undefined ? '2008-10-17' : node.kind === 'string' ? node.text : '';
  if (text !== '2012-10-17' && text !== '2008-10-17') {
    report(syntaxProblem('Version takes 2012-10-17 or 2008-10-17'));
    return '2012-10-17';
  }
  if (text === '2008-10-17' && (kind === 'identity' || kind === 'boundary')) {
    const message = 'Policy document must be version 2012-10-17 or greater.';
    report({
      rank: 'version',
      message,
      detail: `the version is ${node ? text : 'left out, and so 2008-10-17'}`,
    });
  }
  return text;
}

function readId(node: JsonNode | undefined, report: Report): string | undefined {
  if (node && node.kind !== 'string') report(syntaxProblem('Id takes a string'));
  return node?.kind === 'string' ? node.text : undefined;
}

function readStatements(node: JsonNode | undefined, report: Report): readonly JsonObject[] {
  const nodes = node?.kind === 'array' ? node.items : node ? [node] : [];
  if (nodes.length === 0) report(syntaxProblem('a policy without a statement'));
  return nodes.filter((item) => {
    if (item.kind !== 'object') report(syntaxProblem('a statement that is not an object'));
    return item.kind === 'object';
  });
}

function reportSameSids(statements: readonly Statement[], report: Report): void {
  const seen = new Set<string>();
  const twice = statements.find(({ sid }) => {
    // An empty Sid is none.
    if (!sid) return false;
    const isKnown = seen.has(sid);
    seen.add(sid);
    return isKnown;
  })?.sid;
  if (twice === undefined) return;
  const message = 'Statement IDs (SID) in a single policy must be unique.';
  report({ rank: 'sid', message, detail: `the Sid "${twice}" stands there more than once` });
}

/**
 * Parses and checks a policy document as IAM does when it is handed in. Anything that is not wholly understood (an unknown
 * element or operator, a member twice, a value that its operator cannot compare) is a problem; nothing is skipped.
 * The parsed policy is immutable and worth keeping: evaluation does no parsing.
 * Sources: "Grammar of the IAM JSON policy language", "IAM JSON policy element reference".
 */
export function parsePolicy(json: string, kind: PolicyKind): ParsedPolicy {
  if (json.length > limits.policyDocumentCharacters) {
    return malformed([syntaxProblem(`more than ${limits.policyDocumentCharacters} characters`)]);
  }
  const read = readJson(json);
  if (read.kind === 'broken') return malformed([syntaxProblem(`not JSON: ${read.reason}`)]);
  const document = read.node;
  if (document.kind !== 'object') return malformed([syntaxProblem('a policy is an object')]);

  const problems: RankedProblem[] = [];
  const report: Report = (problem) => void problems.push(problem);
  for (const name of document.members.keys()) {
    if (!['Version', 'Id', 'Statement'].includes(name))
      report(syntaxProblem(`a policy has no element "${name}"`));
  }
  const version = readVersion(document.members.get('Version'), kind, report);
  const id = readId(document.members.get('Id'), report);
  const positionOf = positionFinder(json);
  const reading = { kind, variables: version === '2012-10-17', report };
  const statements = readStatements(document.members.get('Statement'), report).map((node) => ({
    ...parseStatement(node, reading),
    start: positionOf(node.start),
    end: positionOf(node.end),
  }));
  reportSameSids(statements, report);
  return problems.length > 0
    ? malformed(problems)
    : { kind: 'policy', policy: { kind, version, id, statements } };
}
