// Names of well-known ports: those that people meet on their machines, not the whole registry (IANA service names and port numbers, RFC 6335).
// A name is a guess from a number; what inspection reads on the wire is better.

import type { FlowDirection } from '../model/terms.ts';
import { PROTOCOL } from './numbers.ts';

/** One word a service: name, port, and its transports (t TCP, u UDP). */
const TABLE = `
  echo/7/tu discard/9/tu daytime/13/tu chargen/19/tu ftp-data/20/t ftp/21/t ssh/22/t telnet/23/t smtp/25/t time/37/tu
  whois/43/t tacacs/49/tu dns/53/tu dhcp/67/u dhcp/68/u tftp/69/u gopher/70/t finger/79/t http/80/t kerberos/88/tu
  pop3/110/t sunrpc/111/tu ident/113/t nntp/119/t ntp/123/u msrpc/135/t netbios-ns/137/u netbios-dgm/138/u netbios-ssn/139/t imap/143/t
  snmp/161/u snmp-trap/162/u bgp/179/t irc/194/t ldap/389/tu slp/427/tu https/443/t quic/443/u smb/445/t kpasswd/464/tu
  smtps/465/t isakmp/500/u exec/512/t login/513/t syslog/514/u shell/514/t printer/515/t rip/520/u ripng/521/u afp/548/t
  dhcpv6/546/u dhcpv6/547/u rtsp/554/tu nntps/563/t submission/587/t ipp/631/tu ldaps/636/t ldp/646/tu dhcp-failover/647/t
  kerberos-adm/749/t rsync/873/t dot/853/t doq/853/u ftps-data/989/t ftps/990/t telnets/992/t imaps/993/t pop3s/995/t
  socks/1080/t openvpn/1194/tu mssql/1433/t mssql-browser/1434/u oracle/1521/t wins/1512/tu l2tp/1701/u h323/1720/t pptp/1723/t
  radius/1812/u radius-acct/1813/u mqtt/1883/t ssdp/1900/u cisco-sccp/2000/t nfs/2049/tu zookeeper/2181/t cpanel/2083/t docker/2375/t
  docker-tls/2376/t swarm/2377/t etcd/2379/t etcd-peer/2380/t ipsec-nat/4500/u iscsi/3260/t mysql/3306/t rdp/3389/tu stun/3478/tu
  turns/5349/tu apns/5223/t svn/3690/t https-alt/8443/t sip/5060/tu sips/5061/t xmpp/5222/t xmpp-server/5269/t
  mdns/5353/u llmnr/5355/tu postgresql/5432/t amqps/5671/t amqp/5672/t vnc/5900/t vnc/5901/t couchdb/5984/t winrm/5985/t winrm-tls/5986/t
  x11/6000/t sane/6566/t redis/6379/t kube-api/6443/t irc/6667/t ircs/6697/t bittorrent/6881/tu airplay/7000/t cassandra/9042/t
  http-alt/8000/t http-alt/8008/t http-alt/8080/t http-alt/8081/t chromecast/8009/t bitcoin/8333/t
  matrix/8448/t influxdb/8086/t consul/8500/t solr/8983/t http-alt/8888/t prometheus/9090/t kafka/9092/t jetdirect/9100/t
  elasticsearch/9200/t elasticsearch-node/9300/t git/9418/t tor/9001/t tor-socks/9050/t tor-control/9051/t tor-browser/9150/t
  zabbix-agent/10050/t zabbix/10051/t webmin/10000/t kubelet/10250/t memcached/11211/tu
  plex/32400/t mongodb/27017/t mongodb/27018/t steam/27015/tu steam/27036/tu minecraft/25565/t source-rcon/27020/u
  wireguard/51820/u tailscale/41641/u zerotier/9993/u syncthing/22000/tu syncthing-discovery/21027/u transmission/51413/tu
  vxlan/4789/u vxlan-linux/8472/u geneve/6081/u gtp-user/2152/u gtp-control/2123/u netflow/2055/u sflow/6343/u ipfix/4739/tu
  coap/5683/u coaps/5684/u mqtts/8883/t nats/4222/t grpc/50051/t rabbitmq/15672/t epmd/4369/t statsd/8125/u graphite/2003/t
  beats/5044/t fluentd/24224/tu otlp/4317/t otlp-http/4318/t jaeger/16686/t loki/3100/t zipkin/9411/t vault/8200/t nomad/4646/t
  teamviewer/5938/tu anydesk/7070/t ws-discovery/3702/u upnp-event/2869/t nat-pmp/5351/u nat-pmp-client/5350/u homekit/51827/t
  airport-admin/5009/t bedrock/19132/u daap/3689/t spotify-connect/57621/u dropbox-lan/17500/tu sonos/1400/t roku/8060/t
  lmtp/24/t sieve/4190/t ollama/11434/t vite/5173/t jupyter/8889/t adb/5037/t gdb/2159/t delve/2345/t
  perforce/1666/t teredo/3544/u hsrp/1985/u bfd/3784/u glusterfs/24007/t ceph/6789/t ceph/3300/t nbd/10809/t
`;

const TCP = new Map<number, string>();
const UDP = new Map<number, string>();
for (const entry of TABLE.trim().split(/\s+/)) {
  const [name = '', port = '', transports = ''] = entry.split('/');
  if (transports.includes('t') && !TCP.has(Number(port))) TCP.set(Number(port), name);
  if (transports.includes('u') && !UDP.has(Number(port))) UDP.set(Number(port), name);
}

/** First port that systems give to clients (Linux 32768, macOS 49152): from here on, a service's number is mere chance. */
export const EPHEMERAL = 32_768;

/** Name of a well-known port of TCP or UDP, given as a protocol number or name; null where there is none. */
export function serviceName(protocol: number | string, port: number): string | null {
  if (protocol === PROTOCOL.TCP || protocol === 'tcp') return TCP.get(port) ?? null;
  if (protocol === PROTOCOL.UDP || protocol === 'udp') return UDP.get(port) ?? null;
  return null;
}

/**
 * Service that a flow most likely uses: that of the end it was opened to (the remote one if `direction` is left out), else that of the other
 * end, unless its port is one that systems give to clients.
 */
export function applicationByPort(
  protocol: number | string,
  localPort: number,
  remotePort: number,
  direction: FlowDirection = 'outbound',
): string | null {
  const inbound = direction === 'inbound' || (direction !== 'outbound' && localPort < remotePort);
  const server = inbound ? localPort : remotePort;
  const client = inbound ? remotePort : localPort;
  return serviceName(protocol, server) ?? (client < EPHEMERAL ? serviceName(protocol, client) : null);
}

/** Ports of a service, lowest first; empty if the name is unknown. */
export function servicePorts(name: string): readonly number[] {
  const ports = new Set<number>();
  for (const services of [TCP, UDP]) for (const [port, service] of services) if (service === name) ports.add(port);
  return [...ports].sort((a, b) => a - b);
}
