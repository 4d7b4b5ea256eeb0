import type { JsonNode } from './json-text.ts';
import { syntaxProblem, type RankedProblem, type Report } from './problems.ts';
import { readTokens, textPattern, type TextPattern } from './text-pattern.ts';

const missingVendor = 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.';

function problemOf(action: string): RankedProblem | undefined {
  const [vendor = '', name, ...more] = action.split(':');
  const detail = `the action "${action}"`;
  if (name === undefined) return { rank: 'vendor', message: missingVendor, detail };
  if (more.length > 0) {
    return { rank: 'vendor', message: 'Actions/Condition can contain only one colon.', detail };
  }
  if (!/^[a-zA-Z0-9.-]+$/.test(vendor))
    return { rank: 'vendor', message: `Vendor ${vendor} is not valid`, detail };
  if (!/^[\w*?.-]+$/.test(name)) return syntaxProblem(`"${action}" is not the name of an action`);
  return undefined;
}

/** Reads an Action or NotAction element. Actions are compared in lower case. Source: "IAM JSON policy elements: Action". */
export function parseActions(node: JsonNode, report: Report): readonly TextPattern[] {
  const nodes = node.kind === 'array' ? node.items : [node];
  if (nodes.length === 0) {
    const message = 'Policy statement must contain actions.';
    report({ rank: 'actions', message, detail: 'an Action element without any action' });
  }
  return nodes.flatMap((item) => {
    if (item.kind !== 'string') {
      report(syntaxProblem('Action takes a string or a list of strings'));
      return [];
    }
    const problem = item.text === '*' ? undefined : problemOf(item.text);
    if (problem) report(problem);
    const read = readTokens(item.text.toLowerCase(), { variables: false, wildcards: true });
    return read.kind === 'tokens' ? [textPattern(item.text, read.tokens)] : [];
  });
}
