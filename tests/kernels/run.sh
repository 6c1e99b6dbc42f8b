#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# run.sh [SUITE...]: the BPF program of dropped packets on the kernels of these Debian suites (default: bookworm trixie), each
# in a virtual machine (QEMU, emulated) that holds nothing else than the finished build in $PODSHARK_BUILD (default
# build/release). Installs QEMU. Closing line: N passed, M failed, 0 skipped.
set -euo pipefail
top=$(readlink -f "$(dirname "$0")/../..")
build=${PODSHARK_BUILD:-$top/build/release}
cache=${PODSHARK_CACHE:-/var/cache/podshark}/kernels
[ $# -gt 0 ] || set -- bookworm trixie
passed=0 failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
packages=(qemu-system-x86 busybox-static cpio kmod xz-utils)
dpkg-query -W "${packages[@]}" >/dev/null 2>&1 || {
  apt-get update
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"
}

# kernel SUITE: its newest cloud kernel, unpacked; prints the directory.
kernel() {
  local dir=$cache/$1 apt=$tmp/apt-$1 package
  if [ ! -e "$dir/done" ]; then
    rm -rf "$dir"
    mkdir -p "$dir" "$apt/lists/partial" "$apt/cache/archives/partial"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $1 main" >"$apt/list"
    local options=(-o "Dir::Etc::SourceList=$apt/list" -o Dir::Etc::SourceParts=/dev/null -o "Dir::State::Lists=$apt/lists"
      -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update >&2
    package=$(apt-cache "${options[@]}" depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
    (cd "$apt" && apt-get "${options[@]}" download "$package" >&2 && dpkg-deb -x "$package"_*.deb "$dir")
    touch "$dir/done"
  fi
  echo "$dir"
}

# image KERNEL-DIRECTORY FILE: an initial RAM disk with our programs, nft and what they need.
image() {
  local modules root=$tmp/root file version
  modules=("$1"/lib/modules/* "$1"/usr/lib/modules/*)
  for file in "${modules[@]}"; do [ -d "$file" ] && version=$(basename "$file") base=${file%/lib/modules/*}; done
  depmod -b "$base" "$version"
  rm -rf "$root"
  mkdir -p "$root"/{bin,dev,proc,sys,tmp,modules}
  cp /bin/busybox "$root/bin/busybox"
  cp "$build/tests/tools/drop_printer" "$build/extcap/podshark-drops" "$(command -v nft)" "$root/bin/"
  for file in "$root"/bin/{drop_printer,podshark-drops,nft} /lib64/ld-linux-x86-64.so.2; do
    ldd "$file" 2>/dev/null | sed -n 's/.*=> \(\/[^ ]*\).*/\1/p'
    case $file in /lib64/*) echo "$file" ;; esac
  done | sort -u | while read -r file; do cp --parents -L "$file" "$root"; done
  # In the order in which they are to be loaded.
  for file in nf_tables nft_ct dummy; do
    modprobe -d "$base" -S "$version" --show-depends "$file" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
  done | awk '!seen[$0]++' >"$tmp/modules"
  local n=100
  while read -r file; do
    cp "$file" "$root/modules/$((n += 1))-$(basename "$file")"
  done <"$tmp/modules"
  find "$root/modules" -name '*.xz' -exec xz -d {} +
  cp "$(dirname "$(readlink -f "$0")")/init.sh" "$root/init"
  chmod 755 "$root/init"
  (cd "$root" && find . | cpio -o -H newc --quiet) | gzip -1 >"$2"
}

# The lines that the machine has to print: basic regular expressions.
expected() {  # SUITE
  echo 'ready whole=[01] connections=1'
  echo 'drop NO_SOCKET __udp4_lib_rcv - 1042/1042'
  echo 'drop NETFILTER_DROP nf[a-z_]* OUTPUT '
  echo 'drop NETFILTER_DROP nf[a-z_]* INPUT .* 127.0.0.1:[1-9][0-9]*>127.0.0.1:11$'
  [ "$1" = bookworm ] || echo 'ready whole=1'
}

for suite; do
  log=$tmp/$suite.log
  dir=$(kernel "$suite")
  image "$dir" "$tmp/initrd"
  vmlinuz=$(echo "$dir"/boot/vmlinuz-*)
  status=0
  timeout 300 qemu-system-x86_64 -M accel=tcg -cpu max -m 1024 -smp 2 -nographic -no-reboot -nodefaults -serial stdio -kernel "$vmlinuz" \
    -initrd "$tmp/initrd" -append 'console=ttyS0 quiet panic=-1' </dev/null >"$log" 2>&1 || status=$?
  sed -i 's/\r//g' "$log"
  echo "$suite: $(basename "$vmlinuz")"
  missing=0
  while read -r line; do
    if grep -q -- "^$line" "$log"; then
      passed=$((passed + 1))
      echo "ok      $suite: $line"
    else
      failed=$((failed + 1))
      echo "FAILED  $suite: $line (QEMU ended with $status)"
      missing=1
    fi
  done < <(expected "$suite")
  [ $missing = 0 ] || tail -n 60 "$log" | sed 's/^/    /'
done
echo "$passed passed, $failed failed, 0 skipped"
[ $failed = 0 ]
