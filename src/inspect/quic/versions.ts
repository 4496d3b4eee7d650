// QUIC versions whose first packets can be opened: their salts, labels and packet types.

/** What differs between versions in the Initial packet. */
export interface QuicVersion {
  readonly salt: Buffer;
  /** In front of the names of keys: `quic` or `quicv2`. */
  readonly label: string;
  /** Packet types in bits 4 and 5 of the first byte. */
  readonly initial: number;
  readonly zeroRtt: number;
  readonly retry: number;
}

function version(salt: string, label = 'quic', rotated = 0): QuicVersion {
  return { salt: Buffer.from(salt, 'hex'), label, initial: rotated, zeroRtt: 1 + rotated, retry: (3 + rotated) & 3 };
}

const DRAFT_22 = version('7fbcdb0e7c66bbe9193a96cd21519ebd7a02644a');
const DRAFT_23 = version('c3eef712c72ebb5a11a7d2432bb46365bef9f502');
const DRAFT_29 = version('afbfec289993d24c9e9786f19c6111e04390a899');
/** RFC 9001 section 5.2; drafts 33 and 34 had its salt already. */
const V1 = version('38762cf7f55934b34d179ae6a4c80cadccbb7f0a');
/** RFC 9369 section 3. */
const V2 = version('0dede3def700a6db819381be6e269dcbf9bd2ed9', 'quicv2', 1);

const VERSIONS = new Map<number, QuicVersion>([
  [0x00000001, V1],
  [0x6b3343cf, V2],
  [0xff00001b, DRAFT_23],
  [0xff00001c, DRAFT_23],
  [0xff00001d, DRAFT_29],
  [0xff00001e, DRAFT_29],
  [0xff00001f, DRAFT_29],
  [0xff000020, DRAFT_29],
  [0xff000021, V1],
  [0xff000022, V1],
  // Facebook's own (mvfst), on drafts 22 and 27.
  [0xfaceb001, DRAFT_22],
  [0xfaceb002, DRAFT_23],
  [0xfaceb00e, DRAFT_23],
]);

/** The version of this number, undefined where its packets cannot be opened. @param number unsigned */
export function quicVersion(number: number): QuicVersion | undefined {
  return VERSIONS.get(number);
}
