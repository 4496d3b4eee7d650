// Names that tell something else than where a flow goes: resolvers that are asked in secret, fronts of encrypted hellos, and programs that
// ask for others.

const ENCRYPTED_DNS =
  /^(dns\.google|.*cloudflare-dns\.com|one\.one\.one\.one|dns\d*\.quad9\.net|doh\..+|dns\.nextdns\.io|.*\.dns\.nextdns\.io|dns\.adguard(-dns)?\.com|doh\.opendns\.com)$/;
/** Public names of providers of ECH: the outer name of a hello whose inner one is encrypted (draft-ietf-tls-esni). */
const ECH_FRONTS =
  /^(cloudflare-ech\.com|(.+\.)?ech\.cloudflare\.com|crypto\.cloudflare\.com|public\.tls-ech\.dev|(.+\.)?ech-public\.[a-z.]+)$/;

/** Processes that ask for others. */
const RESOLVERS = new Set([
  'systemd-resolved',
  'systemd-resolve',
  'mDNSResponder',
  'dnsmasq',
  'unbound',
  'nscd',
  'named',
  'stubby',
  'dnscrypt-proxy',
  'coredns',
]);

/** True for a public resolver that is asked over TLS, HTTPS or QUIC. */
export function isEncryptedResolver(name: string): boolean {
  return ENCRYPTED_DNS.test(name);
}

/** True for a name that stands before others whose hello is encrypted. */
export function isEchFront(name: string): boolean {
  return ECH_FRONTS.test(name);
}

/** True for a program that asks DNS for all others: its answers are anybody's. */
export function isResolver(process: string): boolean {
  return RESOLVERS.has(process);
}
