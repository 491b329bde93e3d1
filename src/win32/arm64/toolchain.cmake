# Windows on ARM64, from any system with Clang, LLD, LLVM's tools, and the headers and
# the x86-64 libraries of MinGW-w64: on Debian
#
#   apt-get install clang lld llvm gcc-mingw-w64-x86-64
#
# Nobody has packaged MinGW-w64 for ARM64 there, but its headers are for all
# processors, and the libraries to link with are lists of names, which are the same.

set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR ARM64)

find_program(CMAKE_C_COMPILER clang REQUIRED)
file(REAL_PATH "${CMAKE_C_COMPILER}" bin)
cmake_path(GET bin PARENT_PATH bin)
set(CMAKE_C_COMPILER_TARGET aarch64-w64-windows-gnu)
set(CMAKE_RC_COMPILER ${bin}/llvm-windres)
set(CMAKE_RC_FLAGS_INIT
  "--target=aarch64-w64-mingw32 -I /usr/share/mingw-w64/include")

# There is no C start-up code, and a DLL of C needs none.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(headers -D_UCRT -nostdlibinc -isystem /usr/share/mingw-w64/include)
list(JOIN headers " " CMAKE_C_FLAGS_INIT)
set(CMAKE_SHARED_LINKER_FLAGS_INIT
  "-Qunused-arguments -fuse-ld=lld -nostdlib -Wl,--entry=DllMain")

set(libraries ${CMAKE_BINARY_DIR}/winarm64)
get_property(trying GLOBAL PROPERTY IN_TRY_COMPILE)
if(NOT trying AND NOT EXISTS ${libraries}/libruntime.a)
  foreach(dll kernel32 advapi32 ucrtbase)
    execute_process(
      COMMAND ${bin}/llvm-nm -g /usr/x86_64-w64-mingw32/lib/lib${dll}.a
      OUTPUT_VARIABLE names ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCHALL "__imp_[A-Za-z0-9_]+" names "${names}")
    list(REMOVE_DUPLICATES names)
    list(TRANSFORM names REPLACE "^__imp_" "")
    list(JOIN names "\n" names)
    file(WRITE ${libraries}/${dll}.def
      "LIBRARY ${dll}.dll\nEXPORTS\n${names}\n")
    execute_process(
      COMMAND ${bin}/llvm-dlltool -m arm64 -d ${libraries}/${dll}.def
        -l ${libraries}/lib${dll}.a
      COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
  foreach(name snprintf chkstk)
    execute_process(
      COMMAND ${CMAKE_C_COMPILER} --target=${CMAKE_C_COMPILER_TARGET} ${headers}
        -O2 -c ${CMAKE_CURRENT_LIST_DIR}/${name}.c -o ${libraries}/${name}.o
      COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
  execute_process(
    COMMAND ${bin}/llvm-ar rc ${libraries}/libruntime.a
      ${libraries}/snprintf.o ${libraries}/chkstk.o
    COMMAND_ERROR_IS_FATAL ANY)
endif()
set(CMAKE_C_STANDARD_LIBRARIES
  "-L${libraries} -lruntime -lucrtbase -lkernel32 -ladvapi32" CACHE STRING "")
