// Writes a receipt in its format: to a file that exists before anything is measured, to standard output, or to standard error for people.

import type { Options, ReceiptOptions } from '../../model/options.ts';
import type { Receipt } from '../../model/receipt.ts';
import { sanitize } from '../../net/text.ts';
import { OutputFile } from '../../output/output-file.ts';
import { receiptJson } from '../../output/receipt/json.ts';
import { receiptMarkdown } from '../../output/receipt/markdown.ts';
import { receiptSarif } from '../../output/receipt/sarif.ts';
import { receiptSummary, receiptText } from '../../output/receipt/text.ts';
import { version } from '../../system/build.ts';
import { speaksUtf8 } from '../../tui/terminal.ts';

/** Writes one receipt. */
export class ReceiptWriter {
  readonly #asked: ReceiptOptions;
  readonly #options: Options;
  #file: OutputFile | null = null;

  constructor(asked: ReceiptOptions, options: Options) {
    this.#asked = asked;
    this.#options = options;
  }

  /** Makes sure that it can be written. @throws NetmonError `usage` */
  open(): void {
    const { receipt, force } = this.#asked;
    if (receipt === null || receipt === '-') return;
    this.#file = OutputFile.create(receipt, force, this.#options.screen.owner);
    this.#file.name(); // whom root becomes may not be able to
  }

  async write(receipt: Receipt): Promise<void> {
    const { format, receipt: path } = this.#asked;
    const { units } = this.#options;
    const text = formatted(receipt, format, units, () => this.#text(receipt, path === null));
    if (path === null) process.stderr.write(text);
    else if (this.#file === null) process.stdout.write(text);
    else {
      await this.#file.write(text);
      await this.#file.close();
      const lines = [...receiptSummary(receipt, units), `the receipt is in ${this.#file.path}`];
      process.stderr.write(lines.map((line) => `netmon-tui: ${sanitize(line)}\n`).join(''));
    }
  }

  /** Leaves no file: there is nothing to say. */
  remove(): void {
    try {
      this.#file?.remove();
    } catch {
      // whom root became may not write in that folder: an empty file stays
    }
  }

  /** Leaves no half receipt behind. */
  async discard(): Promise<void> {
    await this.#file?.discard();
  }

  #text(receipt: Receipt, toTerminal: boolean): string {
    const { NO_COLOR, TERM } = process.env;
    const isTerminal = toTerminal && process.stderr.isTTY === true;
    const { ascii, color, units } = this.#options;
    return receiptText(receipt, units, {
      columns: isTerminal ? process.stderr.columns : undefined,
      ascii: ascii || !speaksUtf8(process.env),
      color: color && isTerminal && !NO_COLOR && TERM !== 'dumb',
    });
  }
}

function formatted(receipt: Receipt, format: ReceiptOptions['format'], units: Options['units'], text: () => string): string {
  if (format === 'json') return receiptJson(receipt);
  if (format === 'markdown') return receiptMarkdown(receipt, units);
  if (format === 'sarif') return receiptSarif(receipt, version());
  return text();
}
