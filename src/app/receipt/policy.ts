// The policy of a run for a command: judges what the command reached, and makes a policy of it or adds to one. A policy that the user wrote stays
// as it is: additions go beside it.

import { relative } from 'node:path';
import { policyText } from '../../cli/config/policy-file.ts';
import { draftPolicy } from '../../cli/history/policy-draft.ts';
import type { ReachedHost } from '../../model/history.ts';
import { type PolicyFile, VERDICTS, WEAK_NAMES } from '../../model/policy.ts';
import type { ReceiptJudgement, ReceiptRow } from '../../model/receipt.ts';
import { ENCRYPTED_HELLO } from '../../model/terms.ts';
import { counted } from '../../net/counted.ts';
import { shellWords } from '../../net/quote.ts';
import { type FileOwner, OutputFile } from '../../output/output-file.ts';
import { isDrift, judge } from '../../watch/policy.ts';
import { PolicyKeeper } from '../policy-keeper.ts';

/** Judges what was reached, the worst first. A program may reach one place by many processes: the first stands for all. */
export function judgeRows({ policy }: PolicyFile, rows: readonly ReceiptRow[]): ReceiptJudgement[] {
  const judged = new Map<string, ReceiptJudgement>();
  for (const row of outbound(rows)) {
    const { address, port, asn, nameReason, process } = row;
    const key = `${process.app}\0${row.host} ${address} ${port} ${row.nameSource}`;
    if (judged.has(key)) continue;
    const name = nameOf(row);
    const hidden = name === null && nameReason === ENCRYPTED_HELLO ? nameReason : null;
    const judgement = judge(policy, { app: process.app, name, address, port, asn, hidden });
    judged.set(key, { row, ...judgement, drift: isDrift(policy, process.app, judgement.verdict) });
  }
  return [...judged.values()].sort(
    (a, b) => Number(b.drift) - Number(a.drift) || VERDICTS.indexOf(b.verdict) - VERDICTS.indexOf(a.verdict),
  );
}

/** What the command called: who called it, and what stayed in this machine, needs no entry. */
function outbound(rows: readonly ReceiptRow[]): ReceiptRow[] {
  return rows.filter(({ direction }) => direction === 'outbound' || direction === 'transit');
}

function nameOf({ host, nameSource }: ReceiptRow): string | null {
  return WEAK_NAMES.includes(nameSource) ? null : host;
}

/** A policy as it is shown: within the working folder, by its name there. */
export function shownPath(path: string): string {
  const within = relative(process.cwd(), path);
  return within.startsWith('..') ? path : within;
}

/** The policy that `--update` names. */
export class PolicyUpdate {
  readonly #path: string;
  /** null for one that is made now. */
  readonly #known: PolicyFile | null;
  readonly #file: OutputFile | null;
  readonly #owner: FileOwner | null;

  /** Call it while what the file takes is still allowed. @param known null if there is no such file yet @throws NetmonError `usage` if it can't be made */
  constructor(path: string, known: PolicyFile | null, owner: FileOwner | null) {
    this.#path = path;
    this.#known = known;
    this.#owner = owner;
    this.#file = known === null ? OutputFile.create(path, false, owner) : null;
    this.#file?.name(); // whom root becomes may not be able to
  }

  /** Writes it. @param command that was run @returns what to tell the user */
  async write(rows: readonly ReceiptRow[], command: readonly string[]): Promise<string> {
    const networks = new Map(rows.map(({ address, asn }) => [address, asn]));
    const networkOf = (address: string) => {
      const asn = networks.get(address) ?? null;
      return asn === null ? null : { asn, name: null };
    };
    const fresh = this.#known === null ? outbound(rows) : judgeRows(this.#known, rows).flatMap(notAllowed);
    const drafted = draftPolicy(fresh.map(reached), networkOf);
    if (this.#file !== null) {
      const typed = shellWords([shownPath(this.#path)]);
      const head = [
        `A policy: what ${shellWords(command.slice(0, 1))} and all that it started may reach.`, // arguments hold secrets, and the file is shared
        `To judge a run by it: sudo netmon-tui run --policy ${typed} -- COMMAND`,
      ];
      await this.#file.write(policyText(head, drafted));
      await this.#file.close();
      return `the policy is in ${this.#path}`;
    }
    return this.#add(drafted.flatMap(({ app, allow }) => allow.map(({ text }) => ({ app, text }))));
  }

  async #add(entries: readonly { readonly app: string; readonly text: string }[]): Promise<string> {
    if (this.#known === null || entries.length === 0) return `${this.#path} allows all of it already`;
    const keeper = new PolicyKeeper(this.#known, this.#owner);
    for (const { app, text } of entries) {
      const failure = await keeper.allow(app, text);
      if (failure !== '') return `nothing was added: ${failure.replace(/^only for this run: /, '')}`;
    }
    return `${counted(entries.length, 'entry', 'entries')} added to ${this.#known.additionsPath}`;
  }

  async discard(): Promise<void> {
    await this.#file?.discard();
  }
}

function notAllowed({ row, verdict }: ReceiptJudgement): ReceiptRow[] {
  return verdict === 'name' || verdict === 'address' ? [] : [row];
}

function reached(row: ReceiptRow): ReachedHost {
  const { process, address, domain, connections, rxBytes, txBytes, rxPackets, txPackets, firstSeen, lastSeen } = row;
  const name = nameOf(row);
  return {
    ...{ app: process.app, host: name ?? address, domain: name === null ? null : domain, flows: connections },
    ...{ rxBytes, txBytes, rxPackets, txPackets, firstSeen, lastSeen },
  };
}
