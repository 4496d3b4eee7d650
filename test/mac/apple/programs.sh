#!/bin/bash
# Prints what Apple's program of the same name prints. Formats follow the sources of network_cmds-741, adv_cmds, shell_cmds and lsof-76; nettop, dscl
# and sw_vers have none, and follow the output of macOS 26.
machine=/usr/mac
name=${0##*/}
printf '%d %s %s\n' "$EUID" "$name" "$*" >>"$machine/calls.log"
elapsed=$((${EPOCHREALTIME//[.,]/} / 1000 - 1700000000000)) # milliseconds; counters grow with it

# netstat's row of an interface: NAME MTU INDEX ADDRESS. A star marks one that is down. The file `rates` has its packets and bytes a second.
netstat_row() {
  local in_packets=0 in_bytes=0 out_packets=0 out_bytes=0
  read -r _ in_packets in_bytes out_packets out_bytes < <(grep "^$1 " "$machine/rates" || echo "$1 0 0 0 0")
  printf '%-10.10s %-5u %-13s %-17s %8d %5d %10d %8d %5d %10d %5d\n' "$1" "$2" "<Link#$3>" "$4" \
    $((elapsed * in_packets / 1000)) 0 $((elapsed * in_bytes / 1000)) $((elapsed * out_packets / 1000)) 0 $((elapsed * out_bytes / 1000)) 0
}

# nettop's row: NAME INTERFACE STATE, then bytes a second in and out. The row of a process has no interface.
nettop_row() {
  echo "00:34:29.230774,$1,$2,$3,$((elapsed * $4 / 1000)),$((elapsed * $5 / 1000)),"
}

# lsof's lines of a process: UID LINES... Users see their own processes alone (xnu bsd/kern/proc_info.c, proc_security_policy).
lsof_process() {
  if [[ $EUID -eq 0 || $EUID -eq $1 ]]; then printf '%s\n' "${@:2}"; fi
}

# What codesign shows of a signature: PATH IDENTIFIER, then lines.
codesign_shown() {
  printf '%s\n' "Executable=$1" "Identifier=$2" 'Format=Mach-O universal (x86_64 arm64)' "${@:3}" >&2
}

case $name in
  arp)
    echo '? (192.168.1.1) at 0:11:22:33:44:55 on en0 ifscope [ethernet]'
    echo '? (192.168.1.50) at (incomplete) on en0 ifscope [ethernet]'
    ;;
  ndp)
    echo 'Neighbor                        Linklayer Address  Netif Expire    St Flgs Prbs'
    echo 'fe80::1c3f:1234:5678:9abc%en0   ac:de:48:0:11:22     en0 permanent R  '
    ;;
  codesign) # all of its output is on standard error
    path=${!#}
    case $1:$path in
      --verify:*Chrome*) if [[ $* != *'subject.OU] = "EQHXZ8M8AV"'* ]]; then exit 3; fi ;;
      --verify:/usr/sbin/*) if [[ $* != *'-R =anchor apple '* ]]; then exit 3; fi ;;
      --verify:*Spotify*) # signed by somebody else in this name
        echo 'test-requirement: code failed to satisfy specified code requirement(s)' >&2
        exit 3
        ;;
      --display:*Chrome*)
        codesign_shown "$path" com.google.Chrome 'Signature size=8989' 'Authority=Developer ID Application: Google LLC (EQHXZ8M8AV)' \
          'Authority=Developer ID Certification Authority' 'Authority=Apple Root CA' 'Timestamp=Nov 13, 2025 at 11:11:11' TeamIdentifier=EQHXZ8M8AV
        ;;
      --display:*Spotify*)
        codesign_shown "$path" com.spotify.client 'Signature size=4789' 'Authority=Developer ID Application: Spotify (2FNC3A47ZF)' TeamIdentifier=2FNC3A47ZF
        ;;
      --display:/usr/sbin/*)
        codesign_shown "$path" com.apple.mDNSResponder 'Platform identifier=15' 'Signature size=4442' 'Authority=Software Signing' \
          'Authority=Apple Code Signing Certification Authority' 'Authority=Apple Root CA' 'TeamIdentifier=not set'
        ;;
      --display:/opt/homebrew/*) codesign_shown "$path" node Signature=adhoc 'TeamIdentifier=not set' ;;
      *)
        echo "$path: code object is not signed at all" >&2
        exit 1
        ;;
    esac
    ;;
  dscl)
    printf '%-22s %d\n' ann 501 nobody -2 root 0
    ;;
  id)
    case $* in
      '-P ann') echo 'ann:********:501:20::0:0:Ann:/Users/ann:/bin/zsh' ;;
      '-P nobody') echo 'nobody:*:-2:-2::0:0:Unprivileged User:/var/empty:/usr/bin/false' ;;
      *)
        echo "id: ${2-}: no such user" >&2
        exit 1
        ;;
    esac
    ;;
  ifconfig) # only root destroys an interface (xnu bsd/net/if.c:3883)
    if [[ ${1-} == -l ]]; then
      echo lo0 gif0 stf0 en0 awdl0 utun4 $(ls "$machine/interfaces")
      exit
    fi
    if [[ $* == '-v -a' ]]; then # network_cmds ifconfig.tproj/ifconfig.c: the quality of links that have one
      printf 'lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384 index 1\n\tlink quality: 100 (good)\n'
      printf 'en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500 index 4\n\tstatus: active\n\ttype: Wi-Fi\n'
      printf '\tlink quality: 100 (good)\n\tuplink rate: 88.31 Mbps [eff] / 146.08 Mbps\n'
      exit
    fi
    verbose=
    if [[ ${1-} == -v ]]; then verbose=yes && shift; fi
    interface=$machine/interfaces/${1-}
    if [[ ! -f $interface ]]; then
      echo "ifconfig: interface ${1-} does not exist" >&2
      exit 1
    elif [[ ${2-} != destroy ]]; then
      echo "$1: flags=1<UP> mtu 0"
      if [[ -n $verbose ]]; then printf '\tdesc: %s\n' "$(<"$interface")"; fi
    elif [[ $EUID -ne 0 ]]; then
      echo 'ifconfig: SIOCIFDESTROY: Operation not permitted' >&2
      exit 1
    else
      rm "$interface"
    fi
    ;;
  lsof)
    lsof_process 65 p401 cmDNSResponder u65 f5 tIPv4 PUDP 'n*:*'
    lsof_process 501 p455 crapportd u501 f10 tIPv4 PTCP 'n*:49159' TST=LISTEN TQR=0 TQS=0 f11 tIPv6 PTCP 'n*:49159' TST=LISTEN TQR=0 TQS=0
    lsof_process 0 p888 ctailscaled u0 f12 tIPv6 PTCP 'n[fe80:4::aede:48ff:fe00:1122]:41641' TST=LISTEN TQR=0 TQS=0 f13 tIPv4 PUDP 'n*:41641'
    lsof_process 501 p2228 'cGoogle Chrome Helper' u501 f29 tIPv4 PTCP 'n192.168.1.10:50001->203.0.113.9:443' TST=ESTABLISHED TQR=0 TQS=0 \
      f30 tIPv6 PUDP 'n*:5353'
    lsof_process 501 p53245 cpostgres u501 f7 tIPv4 PTCP 'n127.0.0.1:5432' TST=LISTEN TQR=0 TQS=0 f8 tIPv6 PTCP 'n[::1]:5432' TST=LISTEN TQR=0 TQS=0 \
      f9 tIPv4 PTCP 'n127.0.0.1:5432->127.0.0.1:60123' TST=ESTABLISHED TQR=0 TQS=0
    ;;
  netstat)
    echo 'Name       Mtu   Network       Address            Ipkts Ierrs     Ibytes    Opkts Oerrs     Obytes  Coll'
    netstat_row lo0 16384 1 ''
    echo 'lo0        16384 127           127.0.0.1               12     -        999       12     -        999     -'
    netstat_row 'gif0*' 1280 2 ''
    netstat_row 'stf0*' 1280 3 ''
    netstat_row en0 1500 14 ac:de:48:00:11:22
    netstat_row awdl0 1500 15 ac:de:48:00:11:23
    netstat_row utun4 1280 24 ''
    ;;
  nettop)
    echo 'time,,interface,state,bytes_in,bytes_out,'
    nettop_row 'Google Chrome H.2228' '' '' 70000 500
    nettop_row 'tcp4 192.168.1.10:50001<->203.0.113.9:443' en0 Established 70000 500
    nettop_row 'postgres.53245' '' '' 0 600
    nettop_row 'tcp4 127.0.0.1:5432<->127.0.0.1:60123' lo0 Established 0 600
    ;;
  osascript) # what it is told is in calls.log
    ;;
  pbcopy)
    cat >"$machine/clipboard"
    ;;
  launchctl)
    printf 'PID\tStatus\tLabel\n-\t0\tcom.apple.notrunning\n2227\t0\tapplication.com.google.Chrome.1152921500311879769.1152921500311879774\n'
    ;;
  ps)
    cat "$machine/ps"
    ;;
  route)
    cat <<'TEXT'
   route to: default
destination: default
       mask: default
    gateway: 192.168.1.1
  interface: en0
      flags: <UP,GATEWAY,DONE,STATIC,PRCLONING,GLOBAL>
 recvpipe  sendpipe  ssthresh  rtt,msec    rttvar  hopcount      mtu     expire
       0         0         0         0         0         0      1500         0 
TEXT
    ;;
  sw_vers)
    echo 26.1
    ;;
esac
