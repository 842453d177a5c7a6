# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash disable=SC3043
# The default events of the whole system while a loop runs all the time.
loop 100000000000 </dev/zero >/dev/null &
collect ratio 2
