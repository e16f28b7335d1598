# CAF's core built from its source with the sanitizer of the build: in Debian's own library ThreadSanitizer does not
# see that a message orders its sender and its receiver. The headers are the installed ones.
#   PURSER_CAF_SOURCE  the unpacked source (tools/fetch-caf-source)
file(GLOB_RECURSE caf_core_sources "${PURSER_CAF_SOURCE}/libcaf_core/src/*.cpp")
list(FILTER caf_core_sources EXCLUDE REGEX "windows")
find_path(CAF_INCLUDE_DIR caf/config.hpp REQUIRED)
find_package(Threads REQUIRED)
add_library(caf_core STATIC ${caf_core_sources})
set_target_properties(caf_core PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 14) # few files compile faster than 139
target_include_directories(caf_core SYSTEM PUBLIC "${CAF_INCLUDE_DIR}")
target_compile_options(caf_core PRIVATE -w -fsanitize=${PURSER_SANITIZE})
target_link_libraries(caf_core PUBLIC Threads::Threads)
add_library(CAF::core ALIAS caf_core)
