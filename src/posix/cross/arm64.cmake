# 64-bit ARM Linux, from any Debian with gcc-aarch64-linux-gnu. Programs run here under
# the emulator of qemu-user-static.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CROSSCOMPILING_EMULATOR
  sh;${CMAKE_CURRENT_LIST_DIR}/../../../tests/harness/qemu.sh)
