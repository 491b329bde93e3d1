# Clang as it stands in for Visual C++, without any header or library of Microsoft's.
# TARGET: what to compile for; EXIT: the folder of kernel32.lib.
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES TARGET EXIT)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_SYSTEM_NAME Windows)
find_program(clang clang REQUIRED)
file(REAL_PATH "${clang}" bin)
cmake_path(GET bin PARENT_PATH bin)
set(CMAKE_C_COMPILER ${bin}/clang-cl)
set(CMAKE_C_COMPILER_TARGET ${TARGET})
set(CMAKE_LINKER ${bin}/lld-link)
set(CMAKE_AR ${bin}/llvm-lib)
set(CMAKE_RC_COMPILER ${bin}/llvm-rc)
set(CMAKE_C_FLAGS_INIT "/X /GS- /clang:-ffreestanding /clang:-fgnuc-version=4.2.1")
execute_process(COMMAND ${clang} -print-resource-dir
  OUTPUT_VARIABLE resources OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)
string(APPEND CMAKE_C_FLAGS_INIT " /imsvc ${resources}/include")
set(CMAKE_EXE_LINKER_FLAGS_INIT
  "/nodefaultlib /manifest:no /entry:start /subsystem:console /libpath:${EXIT}")
set(CMAKE_C_STANDARD_LIBRARIES kernel32.lib CACHE STRING "")
set(CMAKE_BUILD_TYPE Release CACHE STRING "")
