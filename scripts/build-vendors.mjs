// Makes data/vendors.bin out of oui-data: who was assigned which beginnings of hardware addresses, names shortened.
// `node scripts/build-vendors.mjs` writes the file; with --check it only compares, and ends with 1 where they differ.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { deflateSync, inflateSync } from 'node:zlib';

const require = createRequire(import.meta.url);
const assignments = require('oui-data');

/** Hex digits of a prefix: blocks of 24, 28 and 36 bits. */
const DIGITS = [6, 7, 9];
const LONGEST_NAME = 32;
/** Says that the name is not told (Private), or that the block was given on in smaller ones, which stand for themselves. */
const NOBODY = new Set(['Private', 'IEEE Registration Authority']);

/** Words that tell nothing at the end of a name: forms of companies, and where they are. */
const FORMS =
  `inc incorporated ltd limited ltda llc l.l.c corp corporation corporate co company gmbh mbh ag kg kgaa ohg sa s.a sas s.a.s srl
  s.r.l s.r.o spa s.p.a sl s.l slu bv b.v nv n.v ab a/s aps as a.s oy oyj pty pte pvt private plc lp l.p kk k.k sdn bhd s/a jsc ooo z.o.o doo
  d.o.o kft ulc c.v usa international group holding holdings`.split(/\s+/);
const FORM = new RegExp(
  `[\\s,.]+(?:${FORMS.map((form) => form.replaceAll('.', '\\.?')).join('|')}|[&+] co|and co|sp\\.? z ?o\\.? ?o)\\.?$`,
  'i',
);

/** What a person would call the company: no legal form, no shouting, cut between words. */
function shortened(organisation) {
  let name = organisation
    .normalize('NFKC')
    .replace(/["“”\p{C}]/gu, '')
    .replace(/\s+/g, ' ')
    .trim();
  name = name.replace(/,? an? \S+ company$/i, '').replace(/\s*\bd\/?b\/?a\b.*$/i, '');
  for (;;) {
    const less = name
      .replace(/[\s,.;&+-]+$/, '')
      .replace(/\s*\([^)]*\)?$/, '')
      .replace(FORM, '');
    if (less === name || less === '') break;
    name = less;
  }
  name = name.replace(/\p{L}+/gu, (word, at) => {
    if (/^(AND|OF|FOR|THE)$/.test(word) && at > 0) return word.toLowerCase();
    const shouted = word.length > 3 && word === word.toUpperCase() && /[AEIOUY]/.test(word);
    return shouted ? word[0] + word.slice(1).toLowerCase() : word;
  });
  if (name.length <= LONGEST_NAME) return name;
  const cut = name.slice(0, LONGEST_NAME + 1).replace(/[\s,.&-]+\S*$/, '');
  return cut.length <= LONGEST_NAME ? cut : name.slice(0, LONGEST_NAME);
}

function varint(out, value) {
  for (; value > 127; value = Math.floor(value / 128)) out.push((value % 128) | 128);
  out.push(value);
}

/**
 * The table, which `Vendors` reads once it is inflated:
 *
 *     6 x u32 LE: bytes of names | names | bytes of steps | blocks of 24 bits | of 28 | of 36
 *     names     UTF-8, in the order in which they are first used
 *     lengths   u8, bytes of each name
 *     steps     LEB128: each prefix less the one before, each of the three lists from 0
 *     numbers   u16 as high bytes, then low bytes: 0 is the next name that was not used before, else one more than the number of one that was
 */
function table() {
  const blocks = DIGITS.map(() => []);
  const spellings = new Map();
  for (const [prefix, text] of Object.entries(assignments)) {
    const organisation = text.split('\n')[0];
    if (NOBODY.has(organisation)) continue;
    const name = shortened(organisation);
    const folded = name.toLowerCase();
    const counts = spellings.get(folded) ?? new Map();
    spellings.set(folded, counts.set(name, (counts.get(name) ?? 0) + 1));
    blocks[DIGITS.indexOf(prefix.length)].push([Number.parseInt(prefix, 16), folded]);
  }
  const numbers = new Map();
  const steps = [];
  const high = [];
  const low = [];
  for (const list of blocks) {
    let last = 0;
    for (const [prefix, folded] of list.sort(([a], [b]) => a - b)) {
      varint(steps, prefix - last);
      last = prefix;
      const number = numbers.get(folded) ?? 0;
      if (number === 0) numbers.set(folded, numbers.size + 1);
      high.push(number >> 8);
      low.push(number & 255);
    }
  }
  if (numbers.size >= 0xffff) throw new Error('more names than 16 bits can number');
  const usual = (folded) => [...spellings.get(folded)].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1))[0][0];
  const names = [...numbers.keys()].map((folded) => Buffer.from(usual(folded)));
  const lengths = names.map(({ length }) => length);
  const text = Buffer.concat(names);
  const head = [text.length, names.length, steps.length, ...blocks.map(({ length }) => length)];
  return Buffer.concat([
    Buffer.from(Uint32Array.from(head).buffer),
    text,
    ...[lengths, steps, high, low].map((bytes) => Buffer.from(bytes)),
  ]);
}

const file = new URL('../data/vendors.bin', import.meta.url);
const wanted = table();

/** The same content may deflate to other bytes elsewhere (zlib differs by version and by processor), so compare what comes out. */
function isCurrent(bytes) {
  try {
    return inflateSync(bytes).equals(wanted);
  } catch {
    return false;
  }
}

if (!process.argv.includes('--check')) writeFileSync(file, deflateSync(wanted, { level: 9 }));
else if (!isCurrent(readFileSync(file))) {
  process.stderr.write('data/vendors.bin is not what oui-data gives: node scripts/build-vendors.mjs\n');
  process.exitCode = 1;
}
