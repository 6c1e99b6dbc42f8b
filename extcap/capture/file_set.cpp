// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/file_set.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

std::string local_time(std::int64_t time_ns, const char* format) {
  const time_t seconds = static_cast<time_t>(time_ns / 1'000'000'000);
  tm parts{};
  std::array<char, 64> text{};
  (void)::localtime_r(&seconds, &parts);
  const std::size_t n = std::strftime(text.data(), text.size(), format, &parts);
  return {text.data(), n};
}

// Before the extension of the file, not of a directory.
std::string insert_before_extension(const std::string& path, const std::string& text) {
  const std::size_t slash = path.rfind('/');
  const std::size_t dot = path.rfind('.');
  const bool extension =
      dot != std::string::npos && (slash == std::string::npos || dot > slash + 1) && dot > 0;
  const std::size_t at = extension ? dot : path.size();
  return path.substr(0, at) + text + path.substr(at);
}

}  // namespace

Status read_rotation(const std::string& text, RotationRule& rule) {
  const std::size_t colon = text.find(':');
  const std::string what = text.substr(0, colon);
  std::uint64_t value = 0;
  constexpr std::uint64_t kMost = 1'000'000'000;
  const bool number =
      colon != std::string::npos && parse_number(text.substr(colon + 1), kMost, value) && value > 0;
  const bool known = what == "filesize" || what == "duration" || what == "packets" || what == "files";
  if (!number || !known) {
    return Error{ErrorKind::usage, "-b " + in_quotes(text) + " is not a rule for changing files",
                 "filesize:KB, duration:SECONDS, packets:N or files:N, numbers from 1 to 1000000000"};
  }
  if (what == "filesize") rule.bytes = value * 1000;
  if (what == "duration") rule.duration = std::chrono::seconds(value);
  if (what == "packets") rule.packets = value;
  if (what == "files") rule.files = value;
  return ok();
}

std::string numbered_name(const std::string& path, std::uint64_t number, std::int64_t time_ns) {
  std::array<char, 32> digits{};
  std::snprintf(digits.data(), digits.size(), "_%05llu_", static_cast<unsigned long long>(number));
  return insert_before_extension(path, digits.data() + local_time(time_ns, "%Y%m%d%H%M%S"));
}

std::string stamped_name(const std::string& path, std::int64_t time_ns, const std::string& why) {
  return insert_before_extension(path, "_" + local_time(time_ns, "%Y%m%d-%H%M%S") + "_" + why);
}

Result<Output> FileSet::next(std::int64_t time_ns) {
  const std::string name = numbered_name(path_, ++number_, time_ns);
  Result<Output> output = Output::open(name);
  if (!output) return output;
  if (rule_.files != 0) kept_.push_back(name);
  if (kept_.size() > rule_.files) {
    (void)::unlink(kept_.front().c_str());  // somebody may have moved it away
    kept_.pop_front();
  }
  return output;
}

bool FileSet::due(std::uint64_t bytes, std::uint64_t packets, std::chrono::seconds age) const {
  return (rule_.bytes != 0 && bytes >= rule_.bytes) || (rule_.packets != 0 && packets >= rule_.packets) ||
         (rule_.duration.count() != 0 && age >= rule_.duration);
}

}  // namespace podshark::extcap
