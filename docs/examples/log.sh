#!/bin/sh
# Keeps what is said in the lobby: log.sh FILE [ADDR] [--name NAME]. Needs sh and mkfifo. Stop it with SIGTERM.
file=$1
shift
folder=$(mktemp -d) && mkfifo "$folder/silence" || exit 1
# The end of stdin leaves, so stdin is a pipe that nobody writes to and nobody closes.
exec 0<>"$folder/silence"
rm -r "$folder"
exec glassline join "$@" --linear >>"$file"
