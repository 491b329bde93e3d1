# Clang as it stands in for Visual C++, with Microsoft's SDK: see tests/msvc.sh, which
# makes what is in WINSHM_MSVC. WINSHM_MSVC_ARCH: x64, arm64, or x86.

set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES WINSHM_MSVC WINSHM_MSVC_ARCH)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

set(CMAKE_SYSTEM_NAME Windows)
if(WINSHM_MSVC_ARCH STREQUAL "x64")
  set(CMAKE_SYSTEM_PROCESSOR AMD64)
  set(CMAKE_C_COMPILER_TARGET x86_64-pc-windows-msvc)
elseif(WINSHM_MSVC_ARCH STREQUAL "arm64")
  set(CMAKE_SYSTEM_PROCESSOR ARM64)
  set(CMAKE_C_COMPILER_TARGET aarch64-pc-windows-msvc)
else()
  set(CMAKE_SYSTEM_PROCESSOR X86)
  set(CMAKE_C_COMPILER_TARGET i686-pc-windows-msvc)
  set(processor /arch:SSE2) # as Visual C++ has it
  set(CMAKE_USER_MAKE_RULES_OVERRIDE ${CMAKE_CURRENT_LIST_DIR}/no_link.cmake)
endif()

find_program(clang clang REQUIRED)
file(REAL_PATH "${clang}" bin)
cmake_path(GET bin PARENT_PATH bin)
set(CMAKE_C_COMPILER ${bin}/clang-cl)
set(CMAKE_LINKER ${bin}/lld-link)
set(CMAKE_AR ${bin}/llvm-lib)
set(CMAKE_RC_COMPILER ${bin}/llvm-rc)

execute_process(COMMAND ${clang} -print-resource-dir
  OUTPUT_VARIABLE resources OUTPUT_STRIP_TRAILING_WHITESPACE
  COMMAND_ERROR_IS_FATAL ANY)
set(headers /X)
foreach(folder ${CMAKE_CURRENT_LIST_DIR} ${resources}/include
    ${WINSHM_MSVC}/include/ucrt ${WINSHM_MSVC}/links
    ${WINSHM_MSVC}/include/um ${WINSHM_MSVC}/include/shared)
  string(APPEND headers " /imsvc ${folder}")
  string(APPEND CMAKE_RC_FLAGS_INIT " /I ${folder}")
endforeach()
# /GS needs more of the run-time than its stand-in has.
set(CMAKE_C_FLAGS_INIT
  "-fms-compatibility-version=19.40 /GS- ${processor} ${headers}")
foreach(kind EXE SHARED MODULE)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT
    "/nodefaultlib /manifest:no /libpath:${WINSHM_MSVC}/${WINSHM_MSVC_ARCH} /libpath:${CMAKE_BINARY_DIR}")
endforeach()
set(CMAKE_C_STANDARD_LIBRARIES
  "kernel32.lib advapi32.lib ucrt.lib runtime.lib" CACHE STRING "")
