// The OWNERSHIP word of a row: how the local end's owner is known, or why there is none; never both.

import { ATTRIBUTIONS, type Attribution, KERNEL_REASONS, OWNER_REASONS, type OwnerReason } from '../model/terms.ts';

/** In place of a reason, for a flow with an owner: an index beyond OWNER_REASONS. */
const NO_REASON = 0xffff;

/** OWNERSHIP of a flow whose owner was found. */
export const OWNED = Object.fromEntries(
  ATTRIBUTIONS.map((attribution, index) => [attribution, (index << 16) | NO_REASON]),
) as Readonly<Record<Attribution, number>>;

/** OWNERSHIP of a flow without an owner: attribution `kernel` if the reason names the kernel, else `none`. */
export const DISOWNED = Object.fromEntries(
  OWNER_REASONS.map((reason, index) => {
    const attribution = ATTRIBUTIONS.indexOf(KERNEL_REASONS.includes(reason) ? 'kernel' : 'none');
    return [reason, (attribution << 16) | index];
  }),
) as Readonly<Record<OwnerReason, number>>;

/** OWNERSHIP of a new flow. */
export const NOT_LOOKED_UP = DISOWNED['not looked up yet'];
