// The past of what keeps none: an empty history of rates.

import type { RateHistory } from './snapshot.ts';

const NO_SERIES = { ends: [], lengths: [], rx: [], tx: [] };

/** No rates. */
export const NO_RATES: RateHistory = { seconds: NO_SERIES, tens: NO_SERIES, minutes: NO_SERIES };
