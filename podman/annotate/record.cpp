// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/annotate/record.h"

#include <array>
#include <cstdio>
#include <ctime>
#include <stdexcept>

#include "podman/core/text.h"

namespace podshark::annotate {

json record(const char* kind, std::int64_t time_ns) {
  return json{{"podshark", kSchemaVersion}, {"kind", kind}, {"time", rfc3339(time_ns)}};
}

json parse_record(std::string_view text) {
  if (text.size() > kMaxInventoryJson)
    throw std::out_of_range("larger than " + std::to_string(kMaxInventoryJson) + " bytes");
  json j = json::parse(text);
  if (!j.is_object()) throw std::out_of_range("no schema version");
  std::uint32_t version = 0;
  get_unsigned(j, "podshark", version);
  if (version < 1) throw std::out_of_range("no schema version");
  if (version > kSchemaVersion) throw std::out_of_range("written by a newer podshark");
  return j;
}

bool is_inventory(const json& record) {
  return record.value("kind", std::string()) == "inventory";
}

Result<Record> decode_record(std::string_view text) {
  try {
    const json j = parse_record(text);
    if (is_inventory(j)) return Record(inventory_from(j));
    return Record(event_from(j));
  } catch (const std::exception& e) {  // nlohmann::json throws; it ends here
    return Error{ErrorKind::internal, "not a record of podshark: " + one_line(e.what(), 200), {}};
  }
}

std::int64_t time_from(const std::string& text) {
  std::tm tm{};
  unsigned long nanos = 0;
  int used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%9luZ%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
                  &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &nanos, &used) != 7 ||
      static_cast<std::size_t>(used) != text.size()) {
    return 0;
  }
  if (tm.tm_year < 1970 || tm.tm_year > 2261) return 0;  // what 64 bits of nanoseconds can tell
  const auto within = [](int value, int least, int most) { return value >= least && value <= most; };
  if (!within(tm.tm_mon, 1, 12) || !within(tm.tm_mday, 1, 31) || !within(tm.tm_hour, 0, 23) ||
      !within(tm.tm_min, 0, 59) || !within(tm.tm_sec, 0, 60) || nanos > 999'999'999) {
    return 0;
  }
  tm.tm_year -= 1900;
  tm.tm_mon -= 1;
  return std::int64_t{timegm(&tm)} * 1'000'000'000 + static_cast<std::int64_t>(nanos);
}

std::string rfc3339(std::int64_t time_ns) {
  const std::time_t seconds = static_cast<std::time_t>(time_ns / 1'000'000'000);
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  std::array<char, 80> text{};
  const int n = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ",
                              tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                              static_cast<long>(time_ns % 1'000'000'000));
  return {text.data(), static_cast<std::size_t>(n)};
}

}  // namespace podshark::annotate
