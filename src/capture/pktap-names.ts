// Which interfaces PKTAP is asked for, and which of them it then delivers. Names only; opens nothing.

/** What PKTAP listens on when nothing is named: a name that does not end in a digit is a prefix (libpcap, pcap-darwin.c). */
const DEFAULT = ['en', 'utun', 'ipsec', 'ppp', 'lo0'] as const;

/** The list behind `pktap,` for what was asked. @param interfaces as in a request; none are the usual ones */
export function pktapNames(interfaces: readonly string[]): string {
  if (interfaces.includes('any')) return 'all';
  return (interfaces.length === 0 ? DEFAULT : interfaces).join(',');
}

/** Whether frames of an interface are in a capture that was opened so. */
export function pktapCovers(interfaces: readonly string[], name: string): boolean {
  if (interfaces.includes('any')) return true;
  const isListed = (asked: string) => name === asked || (!/\d$/.test(asked) && name.startsWith(asked));
  return (interfaces.length === 0 ? DEFAULT : interfaces).some(isListed);
}
