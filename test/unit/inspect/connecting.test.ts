// Flows that begin with STUN. The protocol for which ICE connects follows in the same flow, between the same ports.

import { describe, expect, test } from 'vitest';
import { be16, be32, hex, join } from '../../support/frames.ts';
import { dtlsHello, Inspection } from '../../support/payloads.ts';

const AT = { dport: 50_000 };
const BACK = { ...AT, back: true };
const stun = (type = 1): Uint8Array => join(be16(type), be16(8), hex('2112a442'), new Uint8Array(20).fill(0x5a));
const rtp = (sequence: number): Uint8Array => join([0x80, 111], be16(sequence), be32(1), be32(7), new Uint8Array(80));
const [hello] = dtlsHello({ name: null, srtp: true }) as [Uint8Array];
const [plain] = dtlsHello({ name: null }) as [Uint8Array];
const sealed = join([0x17, 0xfe, 0xfd, 0, 1, 0, 0, 0, 0, 0, 1], be16(40), new Uint8Array(40));

/** An inspection of a flow without an answer. */
function ringing(checks: number): Inspection {
  const inspection = new Inspection();
  for (let i = 0; i < checks; i++) expect(inspection.udp(stun(i % 2 === 0 ? 1 : 0x101), i % 2 === 0 ? AT : BACK)).toBe(true);
  return inspection;
}

describe('a flow that begins with STUN', () => {
  test('is STUN as long as nothing else comes, told once', () => {
    expect(ringing(20).take()).toEqual(['1 is stun']);
  });

  test.each([
    ['keys for media', hello],
    ['a data channel', plain],
    ['a session that was joined in its middle', sealed],
  ])('is WebRTC with %s', (_what, datagram) => {
    for (const checks of [1, 2, 30]) {
      const inspection = ringing(checks);
      expect(inspection.udp(datagram, BACK)).toBe(false);
      expect(inspection.take()).toEqual(['1 is stun', '1 is webrtc']);
    }
  });

  test('is RTP where media come without DTLS, between further checks', () => {
    const inspection = ringing(4);
    expect([1, 2].map((sequence) => inspection.udp(rtp(sequence), AT))).toEqual([true, true]);
    expect(inspection.udp(stun(), BACK)).toBe(true);
    expect(inspection.udp(rtp(3), AT)).toBe(false);
    expect(inspection.take()).toEqual(['1 is stun', '1 is rtp']);
  });

  test('is given up after a bounded number of packets', () => {
    const inspection = new Inspection();
    let wanted = 0;
    while (wanted < 300 && inspection.udp(stun(), AT)) wanted++;
    expect(wanted).toBeGreaterThan(50);
    expect(wanted).toBeLessThan(65);
    expect(inspection.take()).toEqual(['1 is stun']);
  });

  test('DTLS without STUN is no call', () => {
    const inspection = new Inspection();
    inspection.udp(plain, AT);
    expect(inspection.take()).toEqual(['1 is dtls']);
  });

  test('the next flow of the row begins anew', () => {
    const inspection = ringing(3);
    inspection.inspector.forget(1);
    inspection.take();
    inspection.udp(plain, AT);
    expect(inspection.take()).toEqual(['1 is dtls']);
  });
});

describe('SSDP', () => {
  test('answers come from any port', () => {
    const inspection = new Inspection();
    expect(inspection.udp('HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n\r\n', { sport: 50_999, dport: 40_404 })).toBe(false);
    expect(inspection.take()).toEqual(['1 is ssdp']);
  });
});
