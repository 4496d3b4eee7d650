// What a policy says to a receipt, as SARIF 2.1.0: the form in which CI systems take findings. One result for each app and destination that the
// policy doesn't allow, or can't judge.

import type { Verdict } from '../../model/policy.ts';
import type { Receipt, ReceiptJudgement } from '../../model/receipt.ts';
import { shellWords } from '../../net/quote.ts';
import { sanitize } from '../../net/text.ts';
import { whereOf } from './text.ts';

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

type Finding = Exclude<Verdict, 'name' | 'address'>;
const RULES: Readonly<Record<Finding, string>> = {
  drift: "An app reached what its policy doesn't allow.",
  undeclared: "An app reached something, and the policy doesn't list it.",
  network: 'Only the network of the address is allowed, which many share.',
  unjudged: "The policy can't judge what an app reached.",
};
const FINDINGS = Object.keys(RULES) as Finding[];

/** The text, newline at the end. Without a policy it has no results. @param version of the program */
export function receiptSarif({ policy, command, session, status, started, ended }: Receipt, version: string): string {
  const results = (policy?.judgements ?? []).flatMap((judgement) => {
    const rule = FINDINGS.find((verdict) => verdict === judgement.verdict);
    return rule === undefined ? [] : [resultOf(judgement, rule, policy?.path ?? '')];
  });
  const rules = FINDINGS.map((id) => ({ id, shortDescription: { text: RULES[id] } }));
  const invocation = {
    ...(session === null ? { commandLine: shellWords(command) } : {}),
    ...(status === null ? {} : { exitCode: status }),
    executionSuccessful: true,
    startTimeUtc: new Date(started).toISOString(),
    endTimeUtc: new Date(ended).toISOString(),
  };
  const driver = { name: 'netmon-tui', version, rules };
  const document = { $schema: SCHEMA, version: '2.1.0', runs: [{ tool: { driver }, invocations: [invocation], results }] };
  return `${JSON.stringify(document, (_, value) => (typeof value === 'string' ? sanitize(value) : value), 2)}\n`;
}

function resultOf({ row, verdict, rule, reason, drift }: ReceiptJudgement, ruleId: Finding, path: string) {
  const { app, pid } = row.process;
  const where = whereOf(row);
  const why: Readonly<Record<Finding, string>> = {
    drift: 'which the policy does not allow',
    undeclared: `and the policy does not list ${app}`,
    network: `which the policy allows only as part of ${rule}`,
    unjudged: `which the policy cannot judge: ${reason}`,
  };
  return {
    ruleId,
    level: drift ? 'error' : 'note',
    message: { text: `${app} (pid ${pid}) reached ${where}, ${why[ruleId]}.` },
    locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(path) }, region: { startLine: 1 } } }],
    partialFingerprints: { 'netmonDestination/v1': `${verdict} ${app} ${where}` },
  };
}

/** The policy as it stands in the user's folder: a CI system shows findings beside files of its own. */
function uriOf(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
