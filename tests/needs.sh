#!/bin/sh
# Sees to the programs that the suite runs against: a real sshd and real shells. Installs from Debian what is missing,
# where that is permitted; otherwise says what to type, and fails. Arguments name more programs, called as their packages.
set -eu

PATH=$PATH:/usr/sbin:/sbin
missing=

need() { # need PROGRAM PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

need sshd openssh-server
need ssh openssh-client
need bash bash
need busybox busybox
need dash dash
need fish fish
need ip iproute2
need ksh93 ksh93u+m
need mksh mksh
need posh posh
need strace strace
need sudo sudo
need tcsh tcsh
need yash yash
need zsh zsh
need time time
need /usr/bin/python3 python3
for program; do need "$program" "$program"; done

[ -n "$missing" ] || exit 0

# shellcheck disable=SC2086 # one word for each package
install() { "$@" apt-get update -qq && DEBIAN_FRONTEND=noninteractive "$@" apt-get install -y -qq $missing; }

if command -v apt-get >/dev/null 2>&1; then
    echo "installing for the tests:$missing" >&2
    if [ "$(id -u)" = 0 ]; then
        install env >&2 && exit 0
    elif sudo -n true 2>/dev/null; then
        install sudo -n >&2 && exit 0
    fi
fi
echo "the tests need programs that are not installed; type: sudo apt-get install$missing" >&2
exit 1
