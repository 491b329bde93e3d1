#!/bin/sh
# Has a peer of the tests between languages make a region, and listens to what it says.
#
# Usage: sh talk.sh PROGRAM...
printf 'create consumer-%s 100 0\nsize\nclose\n' $$ | "$@" | tr -d '\r' >"talk-$$" || exit
printf 'ok\nok 100\nok\n' | diff - "talk-$$" && rm "talk-$$"
