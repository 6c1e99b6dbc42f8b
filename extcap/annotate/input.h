// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "extcap/annotate/inflate.h"
#include "podman/core/fd.h"
#include "podman/core/result.h"

namespace podshark::extcap {

/// A file or standard input ("-"), unpacked when it is gzip.
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

 private:
  Input(UniqueFd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}
  [[nodiscard]] Status look();
  [[nodiscard]] Result<std::size_t> read_raw(std::span<std::uint8_t> out);

  UniqueFd fd_;
  std::string name_;
  std::vector<std::uint8_t> first_;  // bytes that were looked at, to be read again
  std::unique_ptr<Inflate> inflate_;
};

}  // namespace podshark::extcap
