import { describe, expect, it } from 'vitest';
import { judgeRows } from '../../../../src/app/receipt/policy.ts';
import { policyOf } from '../../../../src/cli/config/policy-file.ts';
import type { Receipt, ReceiptRow } from '../../../../src/model/receipt.ts';
import { receiptJson } from '../../../../src/output/receipt/json.ts';
import { receiptMarkdown } from '../../../../src/output/receipt/markdown.ts';
import { receiptSarif } from '../../../../src/output/receipt/sarif.ts';
import { foldedRows, receiptText } from '../../../../src/output/receipt/text.ts';
import { faults, receiptSchema } from '../../../support/schemas.ts';

const TIME = Date.UTC(2026, 0, 1);
const STYLE = { columns: 100, ascii: true, color: false };

function row(app: string, pid: number, more: Partial<ReceiptRow> = {}): ReceiptRow {
  return {
    process: { pid, name: app, exe: `/bin/${app}`, app, user: 'ann', ancestors: ['sh'], startedAt: TIME, membership: 'lineage' },
    ...{
      direction: 'outbound',
      protocol: 'tcp',
      host: 'example.com',
      domain: 'example.com',
      nameSource: 'tls',
      nameReason: null,
    },
    ...{ address: '192.0.2.1', port: 443, application: 'https', asn: null, attribution: 'exact', connections: 1 },
    ...{ refused: 0, unanswered: 0, rxBytes: 1000, txBytes: 100, rxPackets: 2, txPackets: 2, firstSeen: TIME, lastSeen: TIME },
    ...more,
  };
}

function receipt(rows: readonly ReceiptRow[], more: Partial<Receipt> = {}): Receipt {
  return {
    ...{
      command: ['npm', 'ci'],
      session: null,
      user: 'ann',
      status: 0,
      started: TIME,
      ended: TIME + 9000,
      membership: 'lineage',
    },
    membershipNote: null,
    ...{ attribution: 'ebpf', interfaces: ['eth0'], processesBegun: 3, left: 0, connections: rows.length, rows },
    total: { rxBytes: 3000, txBytes: 300, rxPackets: 6, txPackets: 6 },
    questions: [{ pid: 7, app: 'node', name: 'example.com', type: 'A', result: 'NOERROR', resolver: '192.0.2.53', times: 2 }],
    listeners: [{ pid: 7, app: 'node', protocol: 'tcp', address: '*', port: 3000, reach: 'everywhere', accepted: 1 }],
    untold: {
      ...{ connections: 1, bytes: 2048, lostPackets: 0, unreadPackets: 0, missedQuestions: 0, foldedRows: 0 },
      notes: [],
    },
    policy: null,
    ...more,
  };
}

const judged = (text: string, rows: readonly ReceiptRow[]) => {
  const policy = { path: '/w/ci.toml', additionsPath: '/w/ci.additions.toml', policy: policyOf('ci.toml', text) };
  return receipt(rows, { policy: { path: 'ci.toml', judgements: judgeRows(policy, rows) } });
};

describe('rows', () => {
  it('fold by program and destination, each process once', () => {
    const rows = [row('git', 1), row('git', 2), row('git', 2, { refused: 1, connections: 3 }), row('curl', 3, { port: 80 })];
    const [first, second] = foldedRows(
      receipt([rows[0], rows[1], { ...rows[2], process: rows[1]?.process }, rows[3]] as ReceiptRow[]),
    );
    expect([first?.app, first?.processes, first?.connections, first?.refused, first?.rxBytes]).toEqual(['git', 2, 5, 1, 3000]);
    expect(second?.where).toBe('example.com:80');
  });
});

describe('text', () => {
  it('folds what several processes of one program asked', () => {
    const [asked] = receipt([]).questions;
    const questions = [asked, { ...asked, pid: 8 }, { ...asked, pid: 9, result: 'NXDOMAIN' }] as Receipt['questions'];
    const text = receiptText(receipt([], { questions }), 'bytes', STYLE);
    expect(text.match(/^asked .*$/gm)).toEqual([
      'asked example.com A: NOERROR, 4 times (node)',
      'asked example.com A: NXDOMAIN, 2 times (node)',
    ]);
  });

  it('of a session names the process that was followed, and has no status', () => {
    const followed = receipt([], { command: ['bash'], session: 4711, status: null });
    expect(receiptText(followed, 'bytes', STYLE)).toContain('bash, pid 4711, and what it started: followed for 9s, as ann\n');
    expect(receiptMarkdown(followed, 'bytes')).toMatch(/^### Network receipt: `bash`, pid 4711\n/);
    expect(receiptMarkdown(followed, 'bytes')).not.toContain('status');
    expect(JSON.parse(receiptSarif(followed, '1')).runs[0].invocations[0]).not.toHaveProperty('exitCode');
    const json = JSON.parse(receiptJson(followed));
    expect([json.session, json.status, faults(json, receiptSchema())]).toEqual([4711, null, []]);
  });

  it('says how it is known who belongs to the command, and which of them left its cgroup', () => {
    const inside = row('node', 7);
    const style = { ...STYLE, columns: 140 };
    const of = (rows: ReceiptRow[], more: Partial<Receipt>) => receiptText(receipt(rows, more), 'bytes', style);
    const own = { ...inside, process: { ...inside.process, membership: 'cgroup' as const } };
    const both = of([own, row('left', 8)], { membership: 'cgroup' });
    expect(both).toContain('its processes are known by a cgroup of its own');
    expect(both).toMatch(/^left .* tls, left its cgroup$/m);
    expect(both).toMatch(/^node .* tls$/m);
    expect(of([inside], { membershipNote: 'read-only file system' })).toContain(
      'its processes are known by who started them; no cgroup of its own: read-only file system',
    );
    expect(of([inside], { membership: 'polling' })).not.toContain('its processes');
  });

  it('says what moved, was asked, opened, and could not be told', () => {
    const text = receiptText(receipt([row('node', 7)]), 'bytes', STYLE);
    expect(text).toContain('npm ci: status 0 after 9s, as ann\n');
    expect(text).toMatch(/^node +example\.com:443 +1 /m);
    expect(text).toContain('asked example.com A: NOERROR, 2 times (node)');
    expect(text).toContain('listened on tcp *:3000, reach everywhere, accepted 1 (node 7)');
    expect(text).toContain('not told: 1 connection with 2.00 KiB belonged to processes that nobody could name');
  });

  it('has no line of control characters, whatever names say', () => {
    const text = receiptText(receipt([row('a\u001b[31m', 1, { host: 'x\u0007\n.com' })], { command: ['a\nb'] }), 'bytes', STYLE);
    expect(text.replace(/\n/g, '')).not.toMatch(/\p{Cc}/u);
  });
});

describe('JSON', () => {
  it('holds to its schema, with a policy and without', () => {
    const rows = [row('curl', 1), row('sh', 2, { host: null, nameSource: 'none', nameReason: 'no hello' })];
    for (const each of [receipt(rows), judged('[app.curl]\nallow = []\n', rows)])
      expect(faults(JSON.parse(receiptJson(each)), receiptSchema())).toEqual([]);
  });

  it('numbers processes, and its rows refer to them', () => {
    const one = row('git', 1);
    const document = JSON.parse(receiptJson(receipt([one, { ...one, port: 80 }, row('curl', 2)])));
    expect(document.processes.map(({ pid }: { pid: number }) => pid)).toEqual([1, 2]);
    expect(document.destinations.map(({ process }: { process: number }) => process)).toEqual([0, 0, 1]);
    expect([document.type, document.schema, document.duration_ms, document.policy]).toEqual(['receipt', 1, 9000, null]);
  });
});

describe('a policy', () => {
  const rows = [row('curl', 1), row('curl', 2, { host: 'evil.example' }), row('sh', 3)];

  it('judges each destination of an app once, but nothing that came in or stayed here', () => {
    const others = [row('curl', 4), row('curl', 5, { direction: 'local' }), row('curl', 6, { direction: 'inbound' })];
    const { judgements } = judged('[app.curl]\nallow = ["example.com"]\n', [...rows, ...others]).policy ?? { judgements: [] };
    expect(judgements.map(({ row: { process, host }, verdict, drift }) => [process.app, host, verdict, drift])).toEqual([
      ['curl', 'evil.example', 'drift', true],
      ['sh', 'example.com', 'undeclared', false],
      ['curl', 'example.com', 'name', false],
    ]);
  });

  it('says what passed without being judged', () => {
    const line = 'not judged: 1 destination of sh, not listed in ci.toml';
    const found = judged('[app.curl]\nallow = ["*"]\n', rows);
    expect(receiptText(found, 'bytes', STYLE)).toContain(`no drift from ci.toml\n${line}\n`);
    expect(receiptMarkdown(found, 'bytes')).toContain(`- ${line}\n`);
    const hidden = row('curl', 1, { host: null, nameSource: 'none' });
    const text = receiptText(judged('[app.curl]\nallow = ["example.com"]\nstrict = false\n', [hidden]), 'bytes', STYLE);
    expect(text).not.toContain('of curl, not listed');
    expect(receiptText(judged('strict = true\n[app.curl]\nallow = ["*"]\n', rows), 'bytes', STYLE)).not.toContain('not judged');
  });

  it('stands in the text, the summary and the findings', () => {
    const found = judged('strict = true\n[app.curl]\nallow = ["example.com"]\n', rows);
    expect(receiptText(found, 'bytes', STYLE)).toContain('drift: curl reached evil.example:443\n');
    expect(receiptMarkdown(found, 'bytes')).toContain('| `curl` | `evil.example:443` | drift |');
    const [run] = JSON.parse(receiptSarif(found, '1.0.0')).runs;
    expect(run.results.map(({ ruleId, level }: { ruleId: string; level: string }) => [ruleId, level])).toEqual([
      ['drift', 'error'],
      ['undeclared', 'error'],
    ]);
    expect(run.tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(expect.arrayContaining(['drift', 'undeclared']));
    expect(run.results[0].locations[0].physicalLocation.artifactLocation.uri).toBe('ci.toml');
  });
});

it('Markdown leaves no markup to names from outside', () => {
  const hostile = '`|<img src=x>|`\n# head';
  const text = receiptMarkdown(receipt([row(hostile, 1, { host: hostile })], { command: [hostile] }), 'bytes');
  for (const line of text.split('\n').filter((each) => each.includes('img'))) {
    expect(line.split('`').length % 2).toBe(1);
    expect(line.replace(/`[^`]*`/g, '')).not.toContain('<img');
    if (line.startsWith('|')) expect(line.split('|').length).toBe(8);
  }
  expect(text).not.toMatch(/^# head/m);
});
