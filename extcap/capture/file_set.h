// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>

#include "extcap/capture/output.h"
#include "podman/core/result.h"

namespace podshark::extcap {

/// When a capture goes on in another file, as dumpcap's -b: the first limit that is reached counts.
struct RotationRule {
  std::uint64_t bytes = 0;    ///< 0: no limit
  std::uint64_t packets = 0;  ///< 0: no limit
  std::chrono::seconds duration{0};
  std::uint64_t files = 0;  ///< files kept; the oldest is removed. 0: all
  [[nodiscard]] bool active() const { return bytes != 0 || packets != 0 || duration.count() != 0; }
};

/// Adds "filesize:KB" (1000 bytes), "duration:S", "packets:N" or "files:N". ErrorKind::usage otherwise.
[[nodiscard]] Status read_rotation(const std::string& text, RotationRule& rule);

/// "web_00001_20261124231500.pcapng" for "web.pcapng": number and local time go before the extension.
[[nodiscard]] std::string numbered_name(const std::string& path, std::uint64_t number, std::int64_t time_ns);
/// "web_20261124-231500_WHY.pcapng".
[[nodiscard]] std::string stamped_name(const std::string& path, std::int64_t time_ns, const std::string& why);

/// The files of one rotating capture.
class FileSet {
 public:
  FileSet(std::string path, const RotationRule& rule) : path_(std::move(path)), rule_(rule) {}
  /// Opens the next file and removes the oldest beyond the limit.
  [[nodiscard]] Result<Output> next(std::int64_t time_ns);
  /// `bytes`: of what a file got behind its beginning.
  [[nodiscard]] bool due(std::uint64_t bytes, std::uint64_t packets, std::chrono::seconds age) const;
  [[nodiscard]] const RotationRule& rule() const { return rule_; }

 private:
  std::string path_;
  RotationRule rule_;
  std::uint64_t number_ = 0;
  std::deque<std::string> kept_;
};

}  // namespace podshark::extcap
