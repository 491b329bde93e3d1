# What is installed, so that CMake and pkg-config find it wherever it is moved to.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
set(package ${CMAKE_INSTALL_LIBDIR}/cmake/winshm)

# A set of targets for each library: a user's compiler may be able to link but one.
foreach(kind shared static)
  string(TOUPPER WINSHM_${kind} wanted)
  if(${wanted})
    set(target winshm)
    if(kind STREQUAL static)
      set(target winshm_static)
    endif()
    install(TARGETS ${target} EXPORT winshm-${kind}
      RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
      LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
      ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
      INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
    install(EXPORT winshm-${kind} NAMESPACE winshm:: DESTINATION ${package}
      FILE winshm-${kind}-targets.cmake)
  endif()
endforeach()
install(FILES include/winshm.h include/winshm.hpp
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

configure_package_config_file(src/winshm-config.cmake.in winshm-config.cmake
  INSTALL_DESTINATION ${package} PATH_VARS CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(winshm-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/winshm-config.cmake
  ${PROJECT_BINARY_DIR}/winshm-config-version.cmake
  DESTINATION ${package})

file(RELATIVE_PATH WINSHM_PC_PREFIX
  /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" WINSHM_PC_PREFIX "${WINSHM_PC_PREFIX}")
# What whoever links the static library needs.
set(WINSHM_PC_PUBLIC "")
set(WINSHM_PC_PRIVATE "-pthread")
if(WIN32)
  set(WINSHM_PC_PRIVATE "-ladvapi32")
elseif(CMAKE_SYSTEM_NAME STREQUAL Linux)
  string(APPEND WINSHM_PC_PRIVATE " -Wl,-z,nodelete")
endif()
if(NOT WINSHM_SHARED)
  set(WINSHM_PC_PUBLIC " ${WINSHM_PC_PRIVATE}")
  set(WINSHM_PC_PRIVATE "")
endif()
configure_file(src/winshm.pc.in winshm.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/winshm.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
