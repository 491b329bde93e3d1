# 32-bit Linux on x86, from any Debian with gcc-i686-linux-gnu, whose C library is not
# where programs look for it unless they are told.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR i686)

set(CMAKE_C_COMPILER i686-linux-gnu-gcc)
set(root /usr/i686-linux-gnu)
set(CMAKE_EXE_LINKER_FLAGS_INIT
  "-Wl,--dynamic-linker=${root}/lib/ld-linux.so.2,-rpath=${root}/lib")
