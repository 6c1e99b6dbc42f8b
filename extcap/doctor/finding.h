// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace podshark::extcap::doctor {

/// ok: as it should be. warn: something is out of reach, the rest works. fail: the caller can not capture.
enum class Level : std::uint8_t { ok, warn, fail };

/// One line of the report. `fact` may hold paths and names chosen by strangers: the renderers clean it.
struct Finding {
  std::string topic;
  Level level = Level::ok;
  std::string fact;
  std::string fix;  ///< exact command or step; empty when ok
};
using Findings = std::vector<Finding>;

[[nodiscard]] inline Finding good(std::string topic, std::string fact) {
  return {std::move(topic), Level::ok, std::move(fact), {}};
}
[[nodiscard]] inline Finding warn(std::string topic, std::string fact, std::string fix) {
  return {std::move(topic), Level::warn, std::move(fact), std::move(fix)};
}
[[nodiscard]] inline Finding fail(std::string topic, std::string fact, std::string fix) {
  return {std::move(topic), Level::fail, std::move(fact), std::move(fix)};
}

}  // namespace podshark::extcap::doctor
