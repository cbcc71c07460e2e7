#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2119,SC2120 # check_options sets arguments of its own
# Compares what `obverse` prints for boards with what is kept here.
#
# usage: run.sh [--update] OBVERSE good|bad|options|man
#
# good  device trees as source text; dtc has nothing to say about the binary form, and reads the same
#       tree from both
# bad   bad/*.board: exit status 2 and exactly the messages of NAME.err; with one mistake per class
# options  command lines of options.cases: messages and exit status as in options.out
# man   every option of the help is in the manual page, and the other way round
#
# Paths in messages are those given, so all is run in this folder. --update writes what is kept.
update=
[ "$1" = --update ] && { update=yes; shift; }
obverse=$(realpath "$1")
what=$2
cd "$(dirname "$(realpath "$0")")" || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0
unset OBVERSE_BOARDS
OBVERSE_BOARDS=$(realpath ../../boards)
export OBVERSE_BOARDS

complain() {
	echo "FAIL $*"
	failed=1
}

# same NAME KEPT NEW
same() {
	if [ -n "$update" ]; then
		cp "$3" "$2"
	elif ! diff -u "$2" "$3"; then
		complain "$1"
	fi
}

check_good() {
	command -v dtc >/dev/null || exit 77
	grep -v '^#' good.cases >"$tmp/cases"
	while read -r name arguments; do
		set -f
		# shellcheck disable=SC2086 # several arguments
		for format in dtb dts; do
			"$obverse" dtb $arguments --seed 1 --format $format >"$tmp/$format" ||
				complain "$name: exit status $?"
		done
		set +f
		dtc -s -I dtb -O dts -o "$tmp/a.dts" "$tmp/dtb" 2>"$tmp/messages"
		[ -s "$tmp/messages" ] && complain "$name: $(cat "$tmp/messages")"
		dtc -q -s -I dts -O dtb -o "$tmp/b.dtb" "$tmp/dts" ||
			complain "$name: dtc does not read our source text"
		dtc -q -s -I dtb -O dts -o "$tmp/b.dts" "$tmp/b.dtb"
		cmp "$tmp/a.dts" "$tmp/b.dts" || complain "$name: the two formats differ"
		same "$name" "good/$name.dts" "$tmp/dts"
	done <"$tmp/cases"
}

check_bad() {
	cd bad || exit 1
	for board in *.board; do
		name=${board%.board}
		"$obverse" check "$board" >"$tmp/out" 2>"$tmp/err"
		status=$?
		[ "$status" = 2 ] || complain "$name: exit status $status"
		[ -s "$tmp/out" ] && complain "$name: prints to standard output"
		same "$name" "$name.err" "$tmp/err"
	done
}

check_options() {
	grep -v '^#' options.cases >"$tmp/cases"
	while read -r line; do
		printf '$ obverse %s\n' "$line"
		eval "set -- $line"
		"$obverse" "$@" 2>&1 </dev/null
		echo "status $?"
	done <"$tmp/cases" | sed "s,$OBVERSE_BOARDS/,,g" >"$tmp/out"
	same "options" options.out "$tmp/out"
}

# Names of options as "-x" or "--x", one a line.
man_options() {
	sed -n 's/^\.It Fl \([^ ]*\).*/-\1/p' ../../man/obverse.1 | sort -u
}

help_options() {
	for command in run dtb check list; do
		"$obverse" "$command" --help
	done | sed -n 's/^  \(--*[a-z-]*\).*/\1/p' | sort -u
}

check_man() {
	man_options >"$tmp/man"
	help_options >"$tmp/help"
	[ -s "$tmp/man" ] || complain "no options found in the manual page"
	diff -u --label "man/obverse.1" --label "obverse --help" "$tmp/man" "$tmp/help" ||
		complain "the manual page and the help differ"
}

case $what in
good) check_good ;;
bad) check_bad ;;
options) check_options ;;
man) check_man ;;
*) echo "usage: run.sh [--update] OBVERSE good|bad|options|man" >&2 && exit 2 ;;
esac
exit $failed
