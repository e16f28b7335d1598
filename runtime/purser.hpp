// Everything a program needs to embed purser: installed as <purser/purser.hpp>.
#pragma once

#include "runtime/engine.hpp"  // IWYU pragma: export
#include "runtime/inspect.hpp" // IWYU pragma: export
#include "runtime/version.hpp" // IWYU pragma: export
