// The precompiled header of the test programs.
#pragma once
#include "tools/cmake/caf_pch.hpp"
#include "tools/cmake/domain_pch.hpp"

#include <doctest/doctest.h>
