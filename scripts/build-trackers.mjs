// Makes data/trackers.txt out of third-party-web: the suffixes it lists under ads, analytics and tag managers.
// `node scripts/build-trackers.mjs` writes the file; with --check it only compares, and ends with 1 where they differ.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const entities = require('third-party-web/dist/entities-nostats.json');
const { version } = JSON.parse(readFileSync(new URL('../node_modules/third-party-web/package.json', import.meta.url), 'utf8'));

const CATEGORIES = ['ad', 'analytics', 'tag-manager'];

/** Listed, but the whole house of somebody who does more than advertise, or a delivery network, or a public suffix. */
const LEFT_OUT = new Set(
  `01net.com answers.com aol.co.uk aol.com aol.net aolcdn.com apple.com bbb.org bing.com cdngc.net cloudfront.ne de.com delivery.net
  delvenetworks.com ebay.com ebayimg.com five.tv force.com gigya.com guardian.co.uk hootsuite.com hostingprod.com hotukdeals.com
  ibmcloud.com jsonip.com jwpcdn.com jwplatform.com jwplayer.com jwpsrv.com licdn.com limelight.com line-scdn.net line.me llnwd.net
  longtailvideo.com microsoft.com msecnd.net msn.com net.net net.pl o2.pl oath.com okta.com onet.pl quora.com rakuten-static.com
  s-msft.com s-msn.com s.yimg.jp salesforce.com sas.com sc-static.net snapchat.com spiceworks.com surveymonkey.com theguardian.com
  trustpilot.com wayfair.com where.com wowcher.co.uk wp.pl www.linkedin.com yahoo.com yahoo.net yahooapis.com yimg.com zenfs.com`.split(
    /\s+/,
  ),
);

/** A star covers the name itself too, as in the source; a name without one stands for itself alone and is written with `=`. */
function suffixes() {
  const found = new Set();
  for (const { category, domains } of entities) {
    if (!CATEGORIES.includes(category)) continue;
    for (const listed of domains) {
      const name = listed.toLowerCase().replace(/^\*\./, '');
      if (/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(name) && !LEFT_OUT.has(name)) found.add(listed.startsWith('*.') ? name : `=${name}`);
    }
  }
  return [...found].sort();
}

const text = `# Suffixes of advertisers and of those who measure, out of third-party-web ${version} (MIT, Copyright (c) 2019 Patrick Hulce).
# Made by scripts/build-trackers.mjs; not edited by hand. A line that begins with = stands for that name alone.
${suffixes().join('\n')}
`;
const file = new URL('../data/trackers.txt', import.meta.url);
if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  process.stderr.write('data/trackers.txt is not what third-party-web gives: node scripts/build-trackers.mjs\n');
  process.exitCode = 1;
}
