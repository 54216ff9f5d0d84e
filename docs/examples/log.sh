#!/bin/sh
# Logs the messages of the lobby: log.sh FILE [ADDR] [--name NAME]. Needs sh and mkfifo. Stop it with SIGTERM.
file=$1
shift
folder=$(mktemp -d) && mkfifo "$folder/silence" || exit 1
# The client leaves at the end of stdin, so stdin is a pipe that nobody writes to or closes.
exec 0<>"$folder/silence"
rm -r "$folder"
exec glassline join "$@" --linear >>"$file"
