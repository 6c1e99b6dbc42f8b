// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "extcap/capture/byte_queue.h"
#include "podman/core/fd.h"
#include "podman/core/result.h"
#include "podman/wire/pcapng.h"

namespace podshark::extcap {

/// Where pcapng goes: a regular file, a pipe, or Wireshark's fifo. Never blocks on a pipe: what the reader
/// does not take yet waits in a queue, and when `backlog()` reaches the caller's limit it should stop
/// producing (the kernel's rings then count what is lost). Buffers hold whole blocks, so a failed write of a
/// regular file can be cut back to the last complete block.
class Output {
 public:
  /// `path` "-" is standard output; a fifo is opened for writing and waits for its reader; a file is made
  /// (mode 0600), or keeps what it has until the first byte is written. A pending signal among those the
  /// caller has blocked ends the waiting: it stays pending, and reader_gone() is true from the beginning.
  [[nodiscard]] static Result<Output> open(const std::string& path);
  /// The fifo that Wireshark names: waits as open() does, but makes and follows nothing, and refuses what is
  /// no fifo of the caller's or root's: packets must not get to whoever has put something else at that name.
  /// "-", and descriptors of the caller below /dev/fd, are for who starts it by hand.
  [[nodiscard]] static Result<Output> open_wiresharks(const std::string& path);

  Output(Output&&) = default;
  Output& operator=(Output&&) = delete;
  ~Output() = default;

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool pipe() const { return pipe_; }
  [[nodiscard]] std::size_t backlog() const { return queue_.size(); }
  [[nodiscard]] std::uint64_t written() const { return written_; }

  /// Takes the content of `bytes` (left empty, its memory kept) and writes what goes.
  /// Fails with ErrorKind::output; EPIPE is reported by reader_gone() instead.
  [[nodiscard]] Status write(wire::Bytes* bytes);
  /// Writes queued bytes as far as the reader takes them.
  [[nodiscard]] Status pump();
  /// Writes until nothing waits, as long as the reader reads; what it did not take is then in backlog().
  /// `hurry`: not longer than Wireshark, which asked for the end, waits for it.
  [[nodiscard]] Status drain(bool hurry);
  /// For people: that the reader did not take all; empty when it did.
  [[nodiscard]] std::string untaken() const;
  [[nodiscard]] bool reader_gone() const { return reader_gone_; }

 private:
  Output(UniqueFd fd, bool pipe, std::string name)
      : fd_(std::move(fd)), pipe_(pipe), name_(std::move(name)) {}
  /// `fd` as open(2) left it, errno too.
  [[nodiscard]] static Result<Output> opened(UniqueFd fd, const std::string& name);
  [[nodiscard]] Status write_some(const std::uint8_t* data, std::size_t size, std::size_t* done);
  [[nodiscard]] Error failed(int code, const std::uint8_t* data, std::size_t done);

  UniqueFd fd_;
  bool pipe_ = false;
  bool replaces_ = false;  // what the file has: nothing has been written yet
  bool reader_gone_ = false;
  std::string name_;
  ByteQueue queue_;
  std::uint64_t written_ = 0;
};

}  // namespace podshark::extcap
