// Domains that stand for whoever rents them: content networks and clouds. That an app reaches another one of these says nothing, because
// the same page comes from another of them tomorrow. They count as one domain.

/** The name under which they count. */
export const SHARED = 'a content network';

const DOMAINS = new Set([
  '1e100.net',
  'akadns.net',
  'akamai.net',
  'akamaiedge.net',
  'akamaihd.net',
  'akamaized.net',
  'amazonaws.com',
  'aaplimg.com',
  'apple-dns.net',
  'awsglobalaccelerator.com',
  'azure.com',
  'azureedge.net',
  'azurefd.net',
  'b-cdn.net',
  'cachefly.net',
  'cdn77.org',
  'cloudflare.net',
  'cloudflare-dns.com',
  'cloudfront.net',
  'digitaloceanspaces.com',
  'edgecastcdn.net',
  'edgekey.net',
  'edgesuite.net',
  'fastly.net',
  'fastlylb.net',
  'footprint.net',
  'ggpht.com',
  'googleapis.com',
  'googleusercontent.com',
  'gstatic.com',
  'gvt1.com',
  'gvt2.com',
  'hwcdn.net',
  'impervadns.net',
  'jsdelivr.net',
  'llnwd.net',
  'msedge.net',
  'r2.dev',
  's-msedge.net',
  'trafficmanager.net',
  'v0cdn.net',
  'windows.net',
  'workers.dev',
]);

/** The domain under which it counts: itself, unless it is shared. */
export function countedDomain(domain: string): string {
  return DOMAINS.has(domain) ? SHARED : domain;
}
