# SPDX-License-Identifier: MIT

# need_package(LIBRARY PACKAGE HEADER): the target package::LIBRARY, or an end that names the Debian package to install.
function(need_package library package header)
  find_path(${library}_INCLUDE ${header})
  find_library(${library}_LIBRARY ${library})
  mark_as_advanced(${library}_INCLUDE ${library}_LIBRARY)
  if(NOT ${library}_INCLUDE OR NOT ${library}_LIBRARY)
    message(FATAL_ERROR
      "The library ${library} (<${header}>) is missing. "
      "On Debian: apt-get install ${package}, or packaging/install-packages.sh build test for all of them.")
  endif()
  add_library(package::${library} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(package::${library} PROPERTIES
    IMPORTED_LOCATION ${${library}_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${${library}_INCLUDE})
endfunction()
