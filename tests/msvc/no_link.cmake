# For 32 bits nobody serves what programs would have to be linked with. CMake reads this
# after it has set what it links with itself.
set(CMAKE_C_LINK_EXECUTABLE "<CMAKE_COMMAND> -E touch <TARGET>")
set(CMAKE_C_CREATE_SHARED_LIBRARY ${CMAKE_C_LINK_EXECUTABLE})
set(CMAKE_C_CREATE_SHARED_MODULE ${CMAKE_C_LINK_EXECUTABLE})
