// Names for threads, as debuggers, profilers and `top -H` show them.
#pragma once

#include <pthread.h>

namespace purser {

/// Names the calling thread. `name` has at most 15 characters; a longer one is ignored.
inline void name_thread(const char* name) noexcept {
  static_cast<void>(::pthread_setname_np(::pthread_self(), name));
}

} // namespace purser
