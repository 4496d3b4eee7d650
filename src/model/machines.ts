// Other machines that are shown here, each at the end of a line of its own.

/** How a line is: `late` has said nothing for seconds, `lost` is tried again. */
export const MACHINE_STATES = ['connecting', 'live', 'late', 'lost'] as const;
export type MachineState = (typeof MACHINE_STATES)[number];

/** One machine. Texts are sanitised. */
export interface MachineStatus {
  /** As the user named it. */
  readonly name: string;
  readonly state: MachineState;
  /** When that began, epoch ms. */
  readonly since: number;
  /** Why it isn't live, or what it lacks though it is; empty if nothing. */
  readonly note: string;
  /** What to type about that; empty for nothing. */
  readonly hint: string;
  /** It has not the rights to capture, and shows what any user may see. */
  readonly isReduced: boolean;
  /** What its clock is ahead of this one, ms: times are corrected by it. null until it is known. */
  readonly clockAheadMs: number | null;
  /** Its version of the program; empty until it is known. */
  readonly program: string;
  /** What its line brought, bytes/s over the last seconds. */
  readonly lineRate: number;
}

/** What a row has if there are several machines. */
export interface OfMachine {
  /** Name of the machine that it is of; absent where there is only this one. */
  readonly machine?: string;
}
