// Texts that programs of macOS print, as recorded; the numbers and addresses are changed.

/** `netstat -ibn`. Address columns are empty for lo0 and utun, rows repeat for each address, `*` marks what is down. */
export const NETSTAT = `Name       Mtu   Network       Address            Ipkts Ierrs     Ibytes    Opkts Oerrs     Obytes  Coll
lo0        16384 <Link#1>                           12     0        999       12     0        999     0
lo0        16384 127           127.0.0.1            12     -        999       12     -        999     -
lo0        16384 ::1/128     ::1                    12     -        999       12     -        999     -
gif0*      1280  <Link#2>                            0     0          0        0     0          0     0
stf0*      1280  <Link#3>                            0     0          0        0     0          0     0
en0        1500  <Link#4>    02:00:5e:10:00:01 2200000     0 3221225472   900000     0  104857600     0
en0        1500  fe80::1c3f: fe80:4::1c3f:1234 2200000     - 3221225472   900000     -  104857600     -
en0        1500  192.0.2       192.0.2.17      2200000     - 3221225472   900000     -  104857600     -
awdl0      1484  <Link#9>    02:00:5e:10:00:02       4     0        400        5     0        500     0
bridge0*   1500  <Link#10>   02:00:5e:10:00:03       0     0          0        1     0        342     0
utun3      1380  <Link#14>                           0     0          0        3     0        201     0
`;

/** `route -n get default` with an Ethernet. */
export const ROUTE = `   route to: default
destination: default
       mask: default
    gateway: 192.168.68.1
  interface: en1
      flags: <UP,GATEWAY,DONE,STATIC,PRCLONING,GLOBAL>
 recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire
       0         0         0         0         0         0      1500         0 
`;

/** With a VPN there is no gateway. */
export const ROUTE_VPN = `   route to: default
destination: default
       mask: default
  interface: utun4
      flags: <UP,DONE,CLONING,STATIC,GLOBAL>
 recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire
       0         0         0         0         0         0      1380         0 
`;

/** What goes to stderr when offline; the exit status is of no use. */
export const ROUTE_OFFLINE = 'route: writing to routing socket: not in table\n';
