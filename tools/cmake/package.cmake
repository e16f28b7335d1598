# What users get: one shared library with the headers of the embedding API, the program, its man pages and completions,
# samples and documents; found by find_package(purser) and pkg-config; packed as a .deb by cpack.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# -- The library ------------------------------------------------------------------------------------------------------

# The layers, linked once more into a shared library that exports the embedding API alone. The soname has the minor
# version while the major one is 0: that is how far the ABI promise of docs/embedding.md goes.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(purser_soversion "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
else()
  set(purser_soversion "${PROJECT_VERSION_MAJOR}")
endif()
set(purser_exports "${PROJECT_BINARY_DIR}/exports.map")
configure_file(tools/package/exports.map.in "${purser_exports}" @ONLY)
add_library(purser_library SHARED tools/package/library.cpp)
add_library(purser::purser ALIAS purser_library)
target_link_libraries(purser_library PRIVATE purser_runtime)
target_link_options(purser_library PRIVATE "LINKER:--version-script=${purser_exports}" LINKER:-z,defs LINKER:--as-needed)
set_target_properties(purser_library PROPERTIES OUTPUT_NAME purser EXPORT_NAME purser
  VERSION "${PROJECT_VERSION}" SOVERSION "${purser_soversion}"
  LINK_LIBRARY_OVERRIDE "WHOLE_ARCHIVE,purser_domain,purser_config,purser_supervisors,purser_actors,purser_runtime"
  LINK_DEPENDS "${purser_exports}")

# -- Its headers ------------------------------------------------------------------------------------------------------

# runtime/purser.hpp and every header of ours that it includes, directly or through others. A header that is not listed
# fails the package test: what becomes public is decided here.
set(PURSER_PUBLIC_HEADERS
  runtime/purser.hpp
  runtime/audit.hpp
  runtime/engine.hpp
  runtime/given_up.hpp
  runtime/inspect.hpp
  runtime/introspection.hpp
  runtime/provider_moods.hpp
  runtime/version.hpp
  actors/answer.hpp
  actors/views.hpp
  actors/domain/commands.hpp
  actors/domain/entity_ref.hpp
  actors/domain/messages.hpp
  actors/domain/money.hpp
  actors/domain/order.hpp
  actors/domain/payment.hpp
  actors/domain/payment_call.hpp
  actors/domain/policies.hpp
  actors/domain/receipt_batch.hpp
  actors/domain/rejection.hpp
  actors/domain/reservation.hpp
  actors/domain/stock_document.hpp
  actors/domain/stock_fanout.hpp
  actors/ports/payment_gateway.hpp)
set(purser_headers "${PROJECT_BINARY_DIR}/include")
list(TRANSFORM PURSER_PUBLIC_HEADERS PREPEND "${PROJECT_SOURCE_DIR}/" OUTPUT_VARIABLE header_sources)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_custom_command(OUTPUT "${purser_headers}/headers.stamp"
  COMMAND Python3::Interpreter tools/package/headers.py "${purser_headers}" ${PURSER_PUBLIC_HEADERS}
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
  DEPENDS tools/package/headers.py ${header_sources}
  COMMENT "Headers of the embedding API" VERBATIM)
add_custom_target(purser_headers ALL DEPENDS "${purser_headers}/headers.stamp")
target_include_directories(purser_library INTERFACE
  "$<BUILD_INTERFACE:${purser_headers}>" "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
target_link_libraries(purser_library INTERFACE Boost::headers)
target_compile_features(purser_library INTERFACE cxx_std_20)

# -- What the program tells of itself ---------------------------------------------------------------------------------

# Its --help is read, and its `completion`: no list of subcommands is kept anywhere else.
set(purser_pages "${PROJECT_BINARY_DIR}/pages")
add_custom_command(OUTPUT "${purser_pages}/pages.stamp"
  COMMAND Python3::Interpreter tools/package/pages.py $<TARGET_FILE:purser> "${purser_pages}" "${PROJECT_VERSION}"
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
  DEPENDS tools/package/pages.py purser
  COMMENT "Man pages and completions" VERBATIM)
set(PURSER_MAINTAINER "The purser authors <authors@purser.invalid>" CACHE STRING "Maintainer of the .deb")
add_custom_command(OUTPUT "${PROJECT_BINARY_DIR}/changelog.gz"
  COMMAND Python3::Interpreter tools/package/changelog.py CHANGELOG.md "${PROJECT_BINARY_DIR}/changelog.gz"
    "${PURSER_MAINTAINER}"
  WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
  DEPENDS tools/package/changelog.py CHANGELOG.md
  COMMENT "Changes, as Debian wants them" VERBATIM)
add_custom_target(purser_pages ALL DEPENDS "${purser_pages}/pages.stamp" "${PROJECT_BINARY_DIR}/changelog.gz")

# -- Where everything goes --------------------------------------------------------------------------------------------

set(purser_cmake_directory "${CMAKE_INSTALL_LIBDIR}/cmake/purser")
install(TARGETS purser RUNTIME)
install(TARGETS purser_library EXPORT purser LIBRARY)
install(EXPORT purser NAMESPACE purser:: FILE purserTargets.cmake DESTINATION "${purser_cmake_directory}")
install(DIRECTORY "${purser_headers}/purser" TYPE INCLUDE)
configure_package_config_file(tools/package/purserConfig.cmake.in purserConfig.cmake
  INSTALL_DESTINATION "${purser_cmake_directory}")
if(PROJECT_VERSION_MAJOR EQUAL 0)
  write_basic_package_version_file(purserConfigVersion.cmake COMPATIBILITY SameMinorVersion)
else()
  write_basic_package_version_file(purserConfigVersion.cmake COMPATIBILITY SameMajorVersion)
endif()
install(FILES "${PROJECT_BINARY_DIR}/purserConfig.cmake" "${PROJECT_BINARY_DIR}/purserConfigVersion.cmake"
  DESTINATION "${purser_cmake_directory}")

# purser.pc tells its prefix from where it lies, so that an installed tree may be moved.
file(RELATIVE_PATH purser_prefix_from_pc "${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig" "${CMAKE_INSTALL_PREFIX}")
configure_file(tools/package/purser.pc.in purser.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/purser.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(DIRECTORY "${purser_pages}/man/" TYPE MAN)
install(DIRECTORY "${purser_pages}/completions/" TYPE DATA)
foreach(folder samples scenarios)
  if(IS_DIRECTORY "${PROJECT_SOURCE_DIR}/config/${folder}")
    install(DIRECTORY "config/${folder}" DESTINATION "${CMAKE_INSTALL_DATADIR}/purser")
  endif()
endforeach()
install(FILES README.md CHANGELOG.md "${PROJECT_BINARY_DIR}/changelog.gz" TYPE DOC)
install(FILES LICENSE TYPE DOC RENAME copyright)
install(DIRECTORY docs TYPE DOC)
install(DIRECTORY tools/examples/ DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples")

# -- cpack ------------------------------------------------------------------------------------------------------------

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME purser)
set(CPACK_PACKAGE_VENDOR "the purser authors")
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 0)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
  WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${PURSER_MAINTAINER}")
set(CPACK_DEBIAN_PACKAGE_SECTION misc)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "Orders, stock and payments are actors that keep their truth in an event
journal, crash early, and come back by themselves with nothing lost.
.
This package has the purser program, the library to embed the engine in a
C++20 program, its headers, man pages, shell completions, samples,
examples and documentation.")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${PROJECT_SOURCE_DIR}/tools/package/triggers")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# Only who compiles against the headers needs these.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS libboost1.81-dev)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "g++, cmake, pkg-config")
include(CPack)
