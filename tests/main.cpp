#define DOCTEST_CONFIG_IMPLEMENT
#include "tests/child_process.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <stdexcept>

namespace purser::tests {

namespace {

constexpr std::string_view child_flag = "--child";

std::map<std::string, child_body, std::less<>>& children() {
  static std::map<std::string, child_body, std::less<>> all;
  return all;
}

} // namespace

child_registration::child_registration(std::string_view name, child_body body) {
  children().emplace(name, body);
}

child_process::child_process(const std::string& name, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {"child", std::string{child_flag}, name});
  std::vector<char*> argv;
  argv.reserve(arguments.size() + 1);
  for (auto& argument : arguments)
    argv.push_back(argument.data());
  argv.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0)
    throw std::runtime_error("no pipe");
  output_ = ends[0];
  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
  const int failed = ::posix_spawn(&pid_, "/proc/self/exe", &files, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&files);
  ::close(ends[1]);
  if (failed != 0)
    throw std::runtime_error("no child");
}

child_process::~child_process() {
  if (pid_ > 0) {
    kill();
    wait();
  }
  ::close(output_);
}

std::size_t child_process::read(void* to, std::size_t size) const {
  std::size_t got = 0;
  while (got < size) {
    const auto more = ::read(output_, static_cast<char*>(to) + got, size - got);
    if (more <= 0)
      break;
    got += static_cast<std::size_t>(more);
  }
  return got;
}

void child_process::kill() const {
  ::kill(pid_, SIGKILL);
}

int child_process::wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

int run_child(int argc, char** argv) {
  return children().at(argv[0])({argv + 1, argv + argc});
}

} // namespace purser::tests

int main(int argc, char** argv) {
  if (argc > 2 && argv[1] == purser::tests::child_flag)
    return purser::tests::run_child(argc - 2, argv + 2);
  return doctest::Context(argc, argv).run();
}
