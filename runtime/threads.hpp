// One piece of work on several threads at once.
#pragma once

#include <functional>

namespace purser {

/// `wanted`, or as many as the machine has cores when it is 0. At least 1.
unsigned threads_or_cores(unsigned wanted);

/// Calls `work` on each of up to so many threads, the caller's among them: fewer when the machine
/// has no more to give. Returns when all have returned. `name`: of the others (name_thread). What
/// `work` throws on another thread ends the process.
void on_threads(unsigned threads, const char* name, const std::function<void()>& work);

} // namespace purser
