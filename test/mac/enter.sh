#!/bin/bash
# unshare --mount enter.sh STATE COMMAND...: runs a command with Apple's programs and libraries at Apple's paths, and the folder STATE at /usr/mac.
# It mounts in its own namespace and changes nothing outside. Status 97: this machine doesn't allow it; the reason is on standard error.
set -euo pipefail
apple=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/apple" && pwd -P)
state=$1
shift

fail() { echo "$1" >&2 && exit 97; }

# Covers a folder with a layer in memory that takes all writes.
cover() {
  local layer=$state/layers$1
  mkdir -p "$layer"/{upper,work}
  mount -t overlay -o "lowerdir=$1,upperdir=$layer/upper,workdir=$layer/work" mac "$1" 2>/dev/null || fail "can mount nothing over $1"
}

for folder in /bin /sbin; do
  [[ $(readlink -f $folder) == /usr/* ]] || fail "$folder does not lie in /usr"
done
mount -t tmpfs -o mode=755 mac "$state/layers" 2>/dev/null || fail 'can mount nothing'
cover /usr
mkdir /usr/mac && mount --bind "$state" /usr/mac
for library in libpcap.A libSystem.B; do ln -sf /usr/mac/libraries.so "/usr/lib/$library.dylib"; done
for program in /usr/sbin/{arp,lsof,ndp,netstat} /usr/bin/{codesign,dscl,id,nettop,osascript,pbcopy,sw_vers} /sbin/{ifconfig,route} /bin/{launchctl,ps}; do
  ln -sf "$apple/programs.sh" "$program"
done
ln -sf /usr/mac/tcpdump /usr/sbin/tcpdump
for file in passwd group; do mount --bind "$apple/$file" "/etc/$file"; done

# A /dev with a bpf0 that only root may open, unless the file `opens-bpf` says otherwise. Mounts inside /dev stay.
mkdir "$state/layers/dev-before" && mount --rbind /dev "$state/layers/dev-before"
cover /dev
for name in pts shm; do
  if [[ -d /dev/$name ]]; then mount --rbind "$state/layers/dev-before/$name" "/dev/$name"; fi
done
install -m "$([[ -e $state/opens-bpf ]] && echo 666 || echo 600)" /dev/null /dev/bpf0
exec "$@"
