// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "extcap/annotate/inflate.h"
#include "podman/core/fd.h"
#include "podman/core/result.h"

namespace podshark::extcap {

/// A file or standard input ("-"), unpacked when it is gzip. Of what is no file, SIGINT, SIGTERM or SIGHUP
/// make an end from open() on: Ctrl-C is for whoever writes into a pipe too, so what that still has to say is
/// waited for, kPatience long. The second one ends the program.
class Input {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Input>> open(const std::string& path);
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  [[nodiscard]] Result<std::size_t> read(std::span<std::uint8_t> out);
  /// "'web.pcap'" or "standard input".
  [[nodiscard]] const std::string& name() const { return name_; }
  /// A file that is written to would be this one.
  [[nodiscard]] bool same_file(const std::string& path) const;
  /// A signal has come: the stream may end anywhere.
  [[nodiscard]] bool stopped() const { return end_.has_value(); }
  /// read() would wait.
  [[nodiscard]] bool waits() const;
  /// Waits for `events` of poll(2) there; false when the time is up that a signal has left.
  [[nodiscard]] bool ready(int fd, short events);

 private:
  static constexpr std::chrono::seconds kPatience{1};

  Input(UniqueFd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  void on_signal();
  [[nodiscard]] Result<std::size_t> read_some(std::span<std::uint8_t> out);
  [[nodiscard]] Status look();
  [[nodiscard]] Result<std::size_t> read_raw(std::span<std::uint8_t> out);

  UniqueFd fd_;
  std::string name_;
  std::vector<std::uint8_t> first_;  // bytes that were looked at, to be read again
  std::unique_ptr<Inflate> inflate_;
  UniqueFd signals_;  // none: a file
  std::optional<std::chrono::steady_clock::time_point> end_;
};

}  // namespace podshark::extcap
