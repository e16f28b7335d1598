#include "runtime/journal/roomy_logs.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace purser {

namespace {

/// A file for writing at any place of it, beside what RocksDB has open.
class beside {
public:
  explicit beside(const std::string& name) : file_(::open(name.c_str(), O_WRONLY | O_CLOEXEC)) {}
  ~beside() {
    if (file_ >= 0)
      ::close(file_); // nothing in it has to be durable
  }
  beside(const beside&) = delete;
  beside& operator=(const beside&) = delete;

  bool is_open() const noexcept { return file_ >= 0; }

  bool put_zeros(std::uint64_t from, std::uint64_t up_to) const noexcept {
    static constexpr char zeros[std::size_t{64} << 10]{};
    while (from < up_to) {
      const auto size = std::min<std::uint64_t>(sizeof zeros, up_to - from);
      const auto put = ::pwrite(file_, zeros, size, static_cast<off_t>(from));
      if (put <= 0)
        return false;
      from += static_cast<std::uint64_t>(put);
    }
    return true;
  }

  bool cut(std::uint64_t size) const noexcept {
    return ::ftruncate(file_, static_cast<off_t>(size)) == 0;
  }

private:
  int file_;
};

/// RocksDB appends from one thread at a time; it may sync from another meanwhile.
class roomy_log final : public rocksdb::FSWritableFileOwnerWrapper {
public:
  roomy_log(std::unique_ptr<rocksdb::FSWritableFile>&& file, const std::string& name)
      : FSWritableFileOwnerWrapper(std::move(file)), room_(name), makes_room_(room_.is_open()) {}

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& how,
                           rocksdb::IODebugContext* context) override {
    make_room_for(data.size());
    return FSWritableFileOwnerWrapper::Append(data, how, context);
  }

  rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& how,
                           const rocksdb::DataVerificationInfo& check,
                           rocksdb::IODebugContext* context) override {
    make_room_for(data.size());
    return FSWritableFileOwnerWrapper::Append(data, how, check, context);
  }

  rocksdb::IOStatus Close(const rocksdb::IOOptions& how,
                          rocksdb::IODebugContext* context) override {
    const auto size = GetFileSize(how, context);
    auto closed = FSWritableFileOwnerWrapper::Close(how, context);
    if (closed.ok() && end_ > size && !room_.cut(size))
      return rocksdb::IOStatus::IOError("a log cannot be cut to its size");
    return closed;
  }

private:
  void make_room_for(std::size_t more) {
    const auto size = GetFileSize({}, nullptr);
    if (!makes_room_ || size + more <= end_)
      return;
    const auto wanted = ((size + more) / log_room_bytes + 1) * log_room_bytes;
    makes_room_ = room_.put_zeros(std::max(end_, size),
                                  wanted); // not: RocksDB hears why when it appends itself
    end_ = wanted;
  }

  beside room_;
  bool makes_room_;
  std::uint64_t end_ = 0; ///< of the room
};

/// Where a log's room begins, rounded up to a page: what was written last may end with zeros.
/// Nothing when it cannot be read.
std::optional<std::uint64_t> begin_of_room(const std::string& name) {
  constexpr std::uint64_t page = 4'096;
  constexpr std::uint64_t zeros_at_its_end = 64; // the last number of a batch, and then some
  std::ifstream file{name, std::ios::binary | std::ios::ate};
  const auto size = file.tellg();
  if (!file || size < 0)
    return std::nullopt;
  std::array<char, page> part{};
  for (auto end = static_cast<std::uint64_t>(size); end > 0;) {
    const auto begin = (end - 1) / page * page;
    const auto length = end - begin;
    if (!file.seekg(static_cast<std::streamoff>(begin)) ||
        !file.read(part.data(), static_cast<std::streamsize>(length)))
      return std::nullopt;
    const std::string_view bytes{part.data(), length};
    if (const auto last = bytes.find_last_not_of('\0'); last != std::string_view::npos) {
      const auto written = begin + last + 1 + zeros_at_its_end;
      return std::min((written + page - 1) / page * page, static_cast<std::uint64_t>(size));
    }
    end = begin;
  }
  return 0;
}

/// Ends there.
class log_until final : public rocksdb::FSSequentialFileOwnerWrapper {
public:
  log_until(std::unique_ptr<rocksdb::FSSequentialFile>&& file, std::uint64_t end)
      : FSSequentialFileOwnerWrapper(std::move(file)), left_(end) {}

  rocksdb::IOStatus Read(std::size_t most, const rocksdb::IOOptions& how, rocksdb::Slice* result,
                         char* scratch, rocksdb::IODebugContext* context) override {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(most, left_));
    auto status = FSSequentialFileOwnerWrapper::Read(size, how, result, scratch, context);
    if (status.ok())
      left_ -= std::min<std::uint64_t>(result->size(), left_);
    return status;
  }

  rocksdb::IOStatus Skip(std::uint64_t bytes) override {
    const auto size = std::min(bytes, left_);
    left_ -= size;
    return FSSequentialFileOwnerWrapper::Skip(size);
  }

private:
  std::uint64_t left_;
};

class logs_being_written final : public rocksdb::FileSystemWrapper {
public:
  using FileSystemWrapper::FileSystemWrapper;

  const char* Name() const override { return "logs_being_written"; }

  rocksdb::IOStatus NewSequentialFile(const std::string& name, const rocksdb::FileOptions& how,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* opened,
                                      rocksdb::IODebugContext* context) override {
    auto status = FileSystemWrapper::NewSequentialFile(name, how, opened, context);
    if (status.ok() && name.ends_with(".log"))
      if (const auto end = begin_of_room(name))
        *opened = std::make_unique<log_until>(std::move(*opened), *end);
    return status;
  }
};

class roomy_logs final : public rocksdb::FileSystemWrapper {
public:
  using FileSystemWrapper::FileSystemWrapper;

  const char* Name() const override { return "roomy_logs"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& how,
                                    std::unique_ptr<rocksdb::FSWritableFile>* made,
                                    rocksdb::IODebugContext* context) override {
    auto status = FileSystemWrapper::NewWritableFile(name, how, made, context);
    if (status.ok() && name.ends_with(".log"))
      *made = std::make_unique<roomy_log>(std::move(*made), name);
    return status;
  }
};

/// It lives as long as the process.
rocksdb::Env* machine_with(const std::shared_ptr<rocksdb::FileSystem>& files) {
  return rocksdb::NewCompositeEnv(files).release();
}

} // namespace

std::shared_ptr<rocksdb::FileSystem>
with_roomy_logs(const std::shared_ptr<rocksdb::FileSystem>& below) {
  return std::make_shared<roomy_logs>(below);
}

rocksdb::Env* machine_with_roomy_logs() {
  static auto* const machine = machine_with(with_roomy_logs(rocksdb::FileSystem::Default()));
  return machine;
}

rocksdb::Env* machine_with_logs_being_written() {
  static auto* const machine =
    machine_with(std::make_shared<logs_being_written>(rocksdb::FileSystem::Default()));
  return machine;
}

} // namespace purser
