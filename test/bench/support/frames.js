// Ethernet frames for synthetic captures. Lengths are true, checksums are zero: capture sees them so wherever the card fills them in.

const ETHERNET = 14;
const IPV4 = 20;

/**
 * One IPv4 packet in an Ethernet frame, padded to 60 bytes as cards do.
 *
 * @param {{source: number, destination: number, protocol: number, segment: Buffer}} packet addresses as 32-bit numbers
 */
function ipv4({ source, destination, protocol, segment }) {
  const frame = Buffer.alloc(Math.max(60, ETHERNET + IPV4 + segment.length));
  frame.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0x00]);
  frame.writeUInt16BE(IPV4 + segment.length, 16);
  frame[20] = 0x40; // don't fragment
  frame[22] = 64;
  frame[23] = protocol;
  frame.writeUInt32BE(source >>> 0, 26);
  frame.writeUInt32BE(destination >>> 0, 30);
  segment.copy(frame, ETHERNET + IPV4);
  return frame;
}

/**
 * A UDP datagram.
 *
 * @param {{source: number, destination: number, sourcePort: number, destinationPort: number}} ends
 * @param {Buffer} payload
 */
export function udpFrame(ends, payload) {
  const segment = Buffer.alloc(8 + payload.length);
  segment.writeUInt16BE(ends.sourcePort, 0);
  segment.writeUInt16BE(ends.destinationPort, 2);
  segment.writeUInt16BE(segment.length, 4);
  payload.copy(segment, 8);
  return ipv4({ ...ends, protocol: 17, segment });
}

/**
 * A TCP segment: with timestamps (12 bytes of options) as nearly all have them, or a SYN with the usual four options.
 *
 * @param {{source: number, destination: number, sourcePort: number, destinationPort: number}} ends
 * @param {Buffer} payload
 * @param {{syn?: boolean, push?: boolean}} [how]
 */
export function tcpFrame(ends, payload, { syn = false, push = false } = {}) {
  const options = syn
    ? Buffer.from('020405b40402080a00000001000000000103030a', 'hex')
    : Buffer.from('0101080a0000000100000001', 'hex');
  const segment = Buffer.alloc(20 + options.length + payload.length);
  segment.writeUInt16BE(ends.sourcePort, 0);
  segment.writeUInt16BE(ends.destinationPort, 2);
  segment.writeUInt32BE(1000, 4);
  segment.writeUInt32BE(syn ? 0 : 2000, 8);
  segment[12] = ((20 + options.length) / 4) << 4;
  segment[13] = syn ? 0x02 : push ? 0x18 : 0x10;
  segment.writeUInt16BE(502, 14);
  options.copy(segment, 20);
  payload.copy(segment, 20 + options.length);
  return ipv4({ ...ends, protocol: 6, segment });
}
