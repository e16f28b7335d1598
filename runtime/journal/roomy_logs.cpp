#include "runtime/journal/roomy_logs.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
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
    const auto end = GetFileSize({}, nullptr) + more;
    if (!makes_room_ || end <= end_)
      return;
    const auto from = std::max(end_, GetFileSize({}, nullptr));
    const auto wanted = (end / log_room_bytes + 1) * log_room_bytes;
    makes_room_ = room_.put_zeros(from, wanted); // not: RocksDB hears why when it appends itself
    end_ = wanted;
  }

  beside room_;
  bool makes_room_;
  std::uint64_t end_ = 0; ///< of the room
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

} // namespace

std::shared_ptr<rocksdb::FileSystem>
with_roomy_logs(const std::shared_ptr<rocksdb::FileSystem>& below) {
  return std::make_shared<roomy_logs>(below);
}

rocksdb::Env* machine_with_roomy_logs() {
  static const auto machine =
    rocksdb::NewCompositeEnv(with_roomy_logs(rocksdb::FileSystem::Default()));
  return machine.get();
}

} // namespace purser
