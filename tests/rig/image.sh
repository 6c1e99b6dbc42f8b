#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# image.sh DIR: makes the test image localhost/bb:1 from this machine's static busybox as a docker-archive in
# DIR, byte for byte the same for the same busybox, and prints its path.
set -eu
out=$1
busybox=$(command -v busybox)
tar="$out/bb-1-$(sha256sum "$0" "$busybox" | sha256sum | cut -c1-16).tar"
if [ ! -s "$tar" ]; then
  mkdir -p "$out"
  tmp=$(mktemp -d "$out/tmp.XXXXXX")
  trap 'rm -rf "$tmp"' EXIT
  fixed=(--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu)
  mkdir -p "$tmp"/fs/{bin,etc,proc,sys,dev,tmp,www} "$tmp/image"
  chmod 1777 "$tmp/fs/tmp"
  install -m 755 "$busybox" "$tmp/fs/bin/busybox"
  for applet in sh httpd nc wget ip ping ping6 nslookup sleep cat ls ps true false echo head tail dd seq kill \
      hostname env id mkdir rm vi grep sed awk date yes netstat ifconfig route traceroute arping stat test; do
    ln -s busybox "$tmp/fs/bin/$applet"
  done
  echo 'root:x:0:0:root:/:/bin/sh' >"$tmp/fs/etc/passwd"
  echo 'hello from a podman container' >"$tmp/fs/www/index.html"
  tar -C "$tmp/fs" "${fixed[@]}" -cf "$tmp/image/layer.tar" .
  id=$(sha256sum "$tmp/image/layer.tar" | cut -d' ' -f1)
  printf '{"architecture":"amd64","os":"linux","created":"1970-01-01T00:00:00Z","config":%s,"rootfs":%s}' \
    '{"Cmd":["sleep","1000000"],"Env":["PATH=/bin"],"StopSignal":"SIGKILL"}' \
    "{\"type\":\"layers\",\"diff_ids\":[\"sha256:$id\"]}" >"$tmp/image/config.json"
  printf '[{"Config":"config.json","RepoTags":["localhost/bb:1"],"Layers":["layer.tar"]}]' \
    >"$tmp/image/manifest.json"
  tar -C "$tmp/image" "${fixed[@]}" -cf "$tmp/bb.tar" .
  mv "$tmp/bb.tar" "$tar"
fi
echo "$tar"
