// The precompiled header of the program. Not CLI11: its global objects would cost every file
// seconds.
#pragma once
#include "tools/cmake/domain_pch.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <mutex>
#include <sstream>
#include <thread>
