// A receipt as Markdown, for the summary of a CI step: GitHub's and GitLab's flavour. Text from outside stands in code, where no markup works.

import type { UnitMode } from '../../model/options.ts';
import type { Receipt } from '../../model/receipt.ts';
import { counted } from '../../net/counted.ts';
import { shellWords } from '../../net/quote.ts';
import { sanitize } from '../../net/text.ts';
import { amount, foldedRows, membershipLine, receiptSummary, whereOf } from './text.ts';

/** A step's summary takes 1 MiB. */
const MOST = { rows: 200, names: 200, drift: 200 };
const LONGEST_CELL = 200;

/** The text, newline at the end. */
export function receiptMarkdown(receipt: Receipt, units: UnitMode): string {
  const { policy, questions, listeners } = receipt;
  const [, ...summary] = receiptSummary(receipt, units);
  const { session, status } = receipt;
  const lines = [`### Network receipt: ${code(shellWords(receipt.command))}${session === null ? '' : `, pid ${session}`}`, ''];
  if (status !== null) lines.push(`- ended with status ${status}`);
  lines.push(...summary.map((line) => `- ${escaped(line)}`), '');
  const drifts = policy?.judgements.filter(({ drift }) => drift) ?? [];
  if (drifts.length > 0) {
    const rows = drifts.map(({ row, verdict }) => [code(row.process.app), code(whereOf(row)), verdict]);
    lines.push(
      `#### Outside of ${code(policy?.path ?? '')}`,
      '',
      ...table(['app', 'destination', 'verdict'], rows, MOST.drift),
      '',
    );
  }
  const moved = foldedRows(receipt).map(({ app, processes, where, connections, refused, unanswered, rxBytes, txBytes }) => [
    code(processes === 1 ? app : `${app} (${processes})`),
    code(where),
    String(connections),
    amount(rxBytes, units),
    amount(txBytes, units),
    [refused > 0 ? `${refused} refused` : '', unanswered > 0 ? `${unanswered} unanswered` : '']
      .filter((part) => part !== '')
      .join(', '),
  ]);
  if (moved.length > 0) {
    const heads = ['app', 'destination', 'connections', 'received', 'sent', ''];
    lines.push(...table(heads, moved, MOST.rows), '');
  }
  lines.push(
    ...folded(
      counted(questions.length, 'question of DNS', 'questions of DNS'),
      questions.map(
        ({ name, type, result, app }) => `${code(`${name} ${type}`)} ${escaped(result)}, by ${code(app ?? 'unknown')}`,
      ),
    ),
    ...folded(
      counted(listeners.length, 'listener'),
      listeners.map(({ protocol, address, port, app }) => `${code(`${protocol} ${address}:${port}`)} ${code(app ?? 'unknown')}`),
    ),
  );
  lines.push(escaped(membershipLine(receipt)));
  return `${lines.join('\n').trimEnd()}\n`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[], most: number): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const lines = [line(heads), line(heads.map(() => '---')), ...rows.slice(0, most).map(line)];
  return rows.length > most ? [...lines, '', `and ${counted(rows.length - most, 'more', 'more')}`] : lines;
}

function folded(title: string, items: readonly string[]): string[] {
  if (items.length === 0) return [];
  const shown = items.slice(0, MOST.names).map((item) => `- ${item}`);
  if (items.length > MOST.names) shown.push(`- and ${counted(items.length - MOST.names, 'more', 'more')}`);
  return [`<details><summary>${title}</summary>`, '', ...shown, '', '</details>', ''];
}

/** Outside text as code of one line. A bar would end a table's cell even there; backticks would end the code. */
function code(text: string): string {
  const safe = sanitize(text).replace(/[`|]/g, '\u2019').trim().slice(0, LONGEST_CELL);
  return safe === '' ? '-' : `\`${safe}\``;
}

/** Outside text in a sentence. */
function escaped(text: string): string {
  return sanitize(text).replace(/[\\`*_{}[\]<>()#+!|~&]/g, '\\$&');
}
