#!/bin/bash
# The first process of a host of the tests, in a network and with mounts and processes of its own. It lives as long as its input.
# debian-host-inside.sh FOLDER ADDRESS/BITS PREPARE...
set -eu
folder=$1
address=$2
shift 2

mount -t tmpfs none /mnt
cp -a /etc /mnt/etc
mount --bind /mnt/etc /etc
mount -t tmpfs none /run
mkdir /run/sshd
for owned in root:/var/log/nginx orthanc:/var/log/orthanc orthanc:/var/lib/orthanc; do
  install -d -o "${owned%%:*}" "/mnt${owned#*:}"
  mount --bind "/mnt${owned#*:}" "${owned#*:}"
done

ip link set lo up
until ip link show eth0 >/dev/null 2>&1; do sleep 0.02; done
ip address add "$address" dev eth0
ip link set eth0 up

for prepare in "$@"; do bash -ec "$prepare"; done
/usr/sbin/sshd -f "$folder/sshd_config" -E "$folder/sshd.log"
systemctl start orthanc
systemctl start nginx
until : >/dev/tcp/127.0.0.1/8042; do sleep 0.1; done 2>/dev/null
echo lockstep-host-ready
# This shell takes in whatever loses its parent; when nobody holds its input any more, the kernel ends all that runs here.
cat >/dev/null
