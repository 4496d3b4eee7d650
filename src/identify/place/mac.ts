// Hardware addresses as 48-bit numbers: parsed from text, extracted from IPv6 addresses, formatted as text.

const PARTS = 6;
/** Locally administered: second lowest bit of the first byte (IEEE 802 section 8.2). */
const LOCAL_BIT = 0x02;
const GROUP_BIT = 0x01;
const ALL_ONES = 2 ** 48 - 1;

/** Parses six hexadecimal bytes separated by colons or hyphens; macOS omits leading zeros. @returns null for anything else */
export function parseMac(text: string): number | null {
  if (!/^[0-9a-f]{1,2}([:-])[0-9a-f]{1,2}(?:\1[0-9a-f]{1,2}){4}$/i.test(text)) return null;
  return text.split(/[:-]/).reduce((mac, part) => mac * 256 + Number.parseInt(part, 16), 0);
}

/** Six bytes as a number; null for any other length. */
export function macOfBytes(bytes: Uint8Array): number | null {
  return bytes.length === PARTS ? bytes.reduce((mac, byte) => mac * 256 + byte, 0) : null;
}

/** `00:11:22:33:44:55`. */
export function formatMac(mac: number): string {
  return (mac.toString(16).padStart(12, '0').match(/../g) ?? []).join(':');
}

/** Whether it is one device's address: not a group's, not all zeros (an unanswered request). */
export function isDevice(mac: number): boolean {
  return mac > 0 && mac < ALL_ONES && (firstByte(mac) & GROUP_BIT) === 0;
}

/** Whether the device or host made the address up. */
export function isLocallyAdministered(mac: number): boolean {
  return (firstByte(mac) & LOCAL_BIT) !== 0;
}

/** The hardware address in an IPv6 interface identifier (RFC 4291 appendix A), with `ff:fe` in the middle and the universal bit inverted; null if there is none. */
export function macInAddress(words: Int32Array, at: number): number | null {
  const upper = words[at + 2] as number;
  const lower = words[at + 3] as number;
  if ((upper & 0xff) !== 0xff || lower >>> 24 !== 0xfe) return null;
  const mac = ((upper >>> 8) ^ (LOCAL_BIT << 16)) * 2 ** 24 + (lower & 0xffffff);
  return isDevice(mac) ? mac : null;
}

function firstByte(mac: number): number {
  return Math.floor(mac / 2 ** 40);
}
