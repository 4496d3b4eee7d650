// Names for the numbers of TLS: versions, cipher suites, alerts (IANA, TLS Parameters). A number without a name here is shown as it is.

const VERSIONS = new Map([
  [0x0300, 'SSL 3.0'],
  [0x0301, 'TLS 1.0'],
  [0x0302, 'TLS 1.1'],
  [0x0303, 'TLS 1.2'],
  [0x0304, 'TLS 1.3'],
  [0xfeff, 'DTLS 1.0'],
  [0xfefd, 'DTLS 1.2'],
  [0xfefc, 'DTLS 1.3'],
]);

/** Suites by how keys are exchanged: number and cipher in turn. TLS 1.3 leaves the exchange open. */
const SUITES: readonly (readonly [exchange: string, ciphers: string])[] = [
  [
    'RSA',
    '0001 NULL_MD5 0002 NULL_SHA 0004 RC4_128_MD5 0005 RC4_128_SHA 000a 3DES_EDE_CBC_SHA 002f AES_128_CBC_SHA 0035 ' +
      'AES_256_CBC_SHA 003b NULL_SHA256 003c AES_128_CBC_SHA256 003d AES_256_CBC_SHA256 0041 CAMELLIA_128_CBC_SHA 0084 ' +
      'CAMELLIA_256_CBC_SHA 009c AES_128_GCM_SHA256 009d AES_256_GCM_SHA384 00ba CAMELLIA_128_CBC_SHA256 00c0 ' +
      'CAMELLIA_256_CBC_SHA256 c09c AES_128_CCM c09d AES_256_CCM c0a0 AES_128_CCM_8 c0a1 AES_256_CCM_8',
  ],
  [
    'DHE_RSA',
    '0016 3DES_EDE_CBC_SHA 0033 AES_128_CBC_SHA 0039 AES_256_CBC_SHA 0045 CAMELLIA_128_CBC_SHA 0067 AES_128_CBC_SHA256 006b ' +
      'AES_256_CBC_SHA256 0088 CAMELLIA_256_CBC_SHA 009e AES_128_GCM_SHA256 009f AES_256_GCM_SHA384 00be ' +
      'CAMELLIA_128_CBC_SHA256 00c4 CAMELLIA_256_CBC_SHA256 c09e AES_128_CCM c09f AES_256_CCM c0a2 AES_128_CCM_8 c0a3 ' +
      'AES_256_CCM_8 ccaa CHACHA20_POLY1305_SHA256',
  ],
  [
    'PSK',
    '002c NULL_SHA 008c AES_128_CBC_SHA 008d AES_256_CBC_SHA 00a8 AES_128_GCM_SHA256 00a9 AES_256_GCM_SHA384 00ae ' +
      'AES_128_CBC_SHA256 00af AES_256_CBC_SHA384 00b0 NULL_SHA256 00b1 NULL_SHA384 c094 CAMELLIA_128_CBC_SHA256 c095 ' +
      'CAMELLIA_256_CBC_SHA384 c0a4 AES_128_CCM c0a5 AES_256_CCM c0a8 AES_128_CCM_8 c0a9 AES_256_CCM_8 ccab ' +
      'CHACHA20_POLY1305_SHA256',
  ],
  [
    'DHE_PSK',
    '002d NULL_SHA 0090 AES_128_CBC_SHA 0091 AES_256_CBC_SHA 00aa AES_128_GCM_SHA256 00ab AES_256_GCM_SHA384 00b2 ' +
      'AES_128_CBC_SHA256 00b3 AES_256_CBC_SHA384 00b4 NULL_SHA256 00b5 NULL_SHA384 c096 CAMELLIA_128_CBC_SHA256 c097 ' +
      'CAMELLIA_256_CBC_SHA384 c0a6 AES_128_CCM c0a7 AES_256_CCM ccad CHACHA20_POLY1305_SHA256',
  ],
  [
    'RSA_PSK',
    '002e NULL_SHA 0094 AES_128_CBC_SHA 0095 AES_256_CBC_SHA 00ac AES_128_GCM_SHA256 00ad AES_256_GCM_SHA384 00b6 ' +
      'AES_128_CBC_SHA256 00b7 AES_256_CBC_SHA384 00b8 NULL_SHA256 00b9 NULL_SHA384 c098 CAMELLIA_128_CBC_SHA256 c099 ' +
      'CAMELLIA_256_CBC_SHA384 ccae CHACHA20_POLY1305_SHA256',
  ],
  [
    'DHE_DSS',
    '0032 AES_128_CBC_SHA 0038 AES_256_CBC_SHA 0040 AES_128_CBC_SHA256 0044 CAMELLIA_128_CBC_SHA 006a AES_256_CBC_SHA256 ' +
      '0087 CAMELLIA_256_CBC_SHA 00a2 AES_128_GCM_SHA256 00a3 AES_256_GCM_SHA384 00bd CAMELLIA_128_CBC_SHA256 00c3 ' +
      'CAMELLIA_256_CBC_SHA256',
  ],
  [
    'DH_anon',
    '0034 AES_128_CBC_SHA 003a AES_256_CBC_SHA 0046 CAMELLIA_128_CBC_SHA 006c AES_128_CBC_SHA256 006d AES_256_CBC_SHA256 ' +
      '0089 CAMELLIA_256_CBC_SHA 00a6 AES_128_GCM_SHA256 00a7 AES_256_GCM_SHA384 00bf CAMELLIA_128_CBC_SHA256 00c5 ' +
      'CAMELLIA_256_CBC_SHA256',
  ],
  [
    '',
    '1301 AES_128_GCM_SHA256 1302 AES_256_GCM_SHA384 1303 CHACHA20_POLY1305_SHA256 1304 AES_128_CCM_SHA256 1305 ' +
      'AES_128_CCM_8_SHA256',
  ],
  [
    'ECDHE_ECDSA',
    'c006 NULL_SHA c007 RC4_128_SHA c008 3DES_EDE_CBC_SHA c009 AES_128_CBC_SHA c00a AES_256_CBC_SHA c023 AES_128_CBC_SHA256 ' +
      'c024 AES_256_CBC_SHA384 c02b AES_128_GCM_SHA256 c02c AES_256_GCM_SHA384 c072 CAMELLIA_128_CBC_SHA256 c073 ' +
      'CAMELLIA_256_CBC_SHA384 c0ac AES_128_CCM c0ad AES_256_CCM c0ae AES_128_CCM_8 c0af AES_256_CCM_8 cca9 ' +
      'CHACHA20_POLY1305_SHA256',
  ],
  [
    'ECDHE_RSA',
    'c010 NULL_SHA c011 RC4_128_SHA c012 3DES_EDE_CBC_SHA c013 AES_128_CBC_SHA c014 AES_256_CBC_SHA c027 AES_128_CBC_SHA256 ' +
      'c028 AES_256_CBC_SHA384 c02f AES_128_GCM_SHA256 c030 AES_256_GCM_SHA384 c076 CAMELLIA_128_CBC_SHA256 c077 ' +
      'CAMELLIA_256_CBC_SHA384 cca8 CHACHA20_POLY1305_SHA256',
  ],
  ['ECDH_anon', 'c015 NULL_SHA c018 AES_128_CBC_SHA c019 AES_256_CBC_SHA'],
  [
    'ECDHE_PSK',
    'c035 AES_128_CBC_SHA c036 AES_256_CBC_SHA c037 AES_128_CBC_SHA256 c038 AES_256_CBC_SHA384 c039 NULL_SHA c03a ' +
      'NULL_SHA256 c03b NULL_SHA384 c09a CAMELLIA_128_CBC_SHA256 c09b CAMELLIA_256_CBC_SHA384 ccac CHACHA20_POLY1305_SHA256',
  ],
  ['PSK_DHE', 'c0aa AES_128_CCM_8 c0ab AES_256_CCM_8'],
];
const CIPHERS = new Map(
  SUITES.flatMap(([exchange, ciphers]) => {
    const words = ciphers.split(' ');
    const head = exchange === '' ? 'TLS_' : `TLS_${exchange}_WITH_`;
    return words.flatMap((word, i) => (i % 2 === 0 ? [[Number.parseInt(word, 16), `${head}${words[i + 1]}`] as const] : []));
  }),
);

const ALERTS = new Map([
  [0, 'close notify'],
  [10, 'unexpected message'],
  [20, 'bad record MAC'],
  [21, 'decryption failed'],
  [22, 'record overflow'],
  [30, 'decompression failure'],
  [40, 'handshake failure'],
  [41, 'no certificate'],
  [42, 'bad certificate'],
  [43, 'unsupported certificate'],
  [44, 'certificate revoked'],
  [45, 'certificate expired'],
  [46, 'certificate unknown'],
  [47, 'illegal parameter'],
  [48, 'unknown CA'],
  [49, 'access denied'],
  [50, 'decode error'],
  [51, 'decrypt error'],
  [70, 'protocol version'],
  [71, 'insufficient security'],
  [80, 'internal error'],
  [86, 'inappropriate fallback'],
  [90, 'user canceled'],
  [100, 'no renegotiation'],
  [109, 'missing extension'],
  [110, 'unsupported extension'],
  [112, 'unrecognized name'],
  [113, 'bad certificate status response'],
  [115, 'unknown PSK identity'],
  [116, 'certificate required'],
  [120, 'no application protocol'],
  [121, 'ECH required'],
]);

/** `TLS 1.3`. */
export function tlsVersionName(version: number): string {
  return VERSIONS.get(version) ?? `TLS version 0x${hex4(version)}`;
}

/** `TLS_AES_128_GCM_SHA256`. */
export function cipherName(cipher: number): string {
  return CIPHERS.get(cipher) ?? `cipher 0x${hex4(cipher)}`;
}

/** `handshake failure`. */
export function alertName(code: number): string {
  return ALERTS.get(code) ?? `alert ${code}`;
}

function hex4(value: number): string {
  return value.toString(16).padStart(4, '0');
}
