#!/bin/sh
# Answers `!time`: bot.sh [ADDR] [--name NAME]. Needs sh, mkfifo and date.
folder=$(mktemp -d) && mkfifo "$folder/requests" "$folder/events" || exit 1
glassline join "$@" --json <"$folder/requests" >"$folder/events" &
exec 3>"$folder/requests" 4<"$folder/events"
rm -r "$folder"
while read -r event <&4; do
    case $event in
        *'"type":"message"'*'"text":"!time"'*) printf '{"type":"send","text":"it is %s"}\n' "$(date +%H:%M)" >&3 ;;
    esac
done
wait $!
