// SPDX-License-Identifier: GPL-2.0-or-later
// A report as text for people and as JSON for programs. Pure; names in it may have been chosen by strangers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "extcap/top/report.h"

namespace podshark::extcap::top {

struct TextOptions {
  std::size_t width = 0;   ///< columns of the terminal; 0: as wide as needed
  std::size_t height = 0;  ///< its lines; 0: all there are
  bool totals = false;     ///< rare counts as "now/since start"
  std::string header;      ///< first line; empty: none
};

/// Lines without their ends, none wider than `width`, no more than `height`.
[[nodiscard]] std::vector<std::string> render_text(const Report& report, const TextOptions& options);

/// One JSON object without any line end (docs/FORMAT.md).
[[nodiscard]] std::string render_json(const Report& report);

/// "0", "9999", "12.3k", "4.56M": at most five characters up to 999 P.
[[nodiscard]] std::string short_number(double value);

/// "tcp", "icmp6", "proto 89".
[[nodiscard]] std::string protocol_name(std::uint8_t protocol);

}  // namespace podshark::extcap::top
