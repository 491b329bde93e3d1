# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the winshm authors

## The tests of the Nim binding. The program starts itself again for the tests that
## need other processes; it has to find the library as any other program does.
import ./roles # First: as another process this plays its role and ends here.
when not (defined(windows) and sizeof(int) == 4):
  import ./leaving
import ./header_test, ./plain_test, ./error_test, ./region_test, ./sync_test, ./section_test,
  ./close_test, ./fill_test, ./process_test, ./layout_test, ./typed_test, ./handing_test

# The Wine of Debian 12 has no ws2_32.dll for 32-bit programs, which asyncdispatch needs.
when not (defined(windows) and sizeof(int) == 4):
  import ./async_test, ./task_test, ./sample_test

# After those that ask for the current exception, which tasks that fail leave set.
import ./message_test

# Only where the tests run on the machine that compiled them is there a compiler.
when not defined(windows):
  import ./example_test
