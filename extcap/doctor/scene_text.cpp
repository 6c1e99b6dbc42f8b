// SPDX-License-Identifier: GPL-2.0-or-later
// The pure half of scene.h: text that other programs and the kernel print.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <utility>

#include "extcap/doctor/scene.h"
#include "podman/core/text.h"

namespace podshark::extcap::doctor {
namespace {

// "4.0.17" of "(Wireshark) 4.0.17 (Git": digits and dots, at least one dot between digits.
bool is_version(std::string_view word) {
  if (word.empty() || std::isdigit(static_cast<unsigned char>(word.front())) == 0) return false;
  return word.find('.') != std::string_view::npos &&
         word.find_first_not_of("0123456789.") == std::string_view::npos;
}

constexpr std::uint64_t kFirstSubordinate = 100000;  // SUB_UID_MIN of useradd(8)
constexpr std::uint64_t kLastId = 0xfffffffe;

}  // namespace

// 4.0 has one "Extcap path" (the global one; the personal one is below the configuration), later ones name
// both.
void parse_folders(std::string_view text, Wireshark& into) {
  std::string configuration;
  for (const std::string& line : split(text, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string key(trim(std::string_view(line).substr(0, colon)));
    const std::string value(trim(std::string_view(line).substr(colon + 1)));
    if (key == "Personal configuration") configuration = value;
    if (key == "Program") into.program_dir = value;
    if (key == "Personal Plugins") into.personal_plugin_dir = value;
    if (key == "Global Plugins") into.global_plugin_dir = value;
    if (key == "Extcap path" || key == "Global Extcap path") into.global_extcap_dir = value;
    if (key == "Personal Extcap path") into.personal_extcap_dir = value;
  }
  if (into.personal_extcap_dir.empty() && !configuration.empty()) {
    into.personal_extcap_dir = configuration + "/extcap";
  }
}

std::vector<std::string> parse_loaded_plugins(std::string_view text) {
  std::vector<std::string> paths;
  for (const std::string& line : split(text, '\n')) {
    const std::vector<std::string> columns = split(line, '\t');
    if (trim(columns.front()) == "podshark.so") paths.emplace_back(trim(columns.back()));
  }
  return paths;
}

std::string parse_version(std::string_view text) {
  for (const std::string& line : split(text, '\n')) {
    for (std::string word : split(line, ' ')) {
      while (!word.empty() && word.back() == '.') word.pop_back();  // the sentence's full stop
      if (is_version(word)) return word;
    }
  }
  return {};
}

void parse_status(std::string_view text, Caller& into) {
  for (const std::string& line : split(text, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string key = line.substr(0, colon);
    const std::string value(trim(std::string_view(line).substr(colon + 1)));
    if (key == "NoNewPrivs") into.no_new_privs = value == "1";
    if (key == "CapBnd") into.bounding = std::strtoull(value.c_str(), nullptr, 16);
  }
}

bool has_subordinate_range(std::string_view text, const Caller& caller) {
  for (const std::string& line : split(text, '\n')) {
    const std::vector<std::string> fields = split(line, ':');
    if (fields.size() != 3) continue;
    std::uint64_t count = 0;
    if (!parse_number(trim(fields[2]), ~std::uint64_t{0}, count) || count == 0) continue;
    if (fields[0] == caller.name || fields[0] == std::to_string(caller.uid)) return true;
  }
  return false;
}

bool allows_user_namespaces(std::string_view profile) {
  for (const std::string& line : split(profile, '\n')) {
    if (line.substr(0, line.find('#')).find("userns") != std::string::npos) return true;
  }
  return false;
}

// Two users with the same range could kill and trace each other's containers.
std::optional<std::uint64_t> free_subordinate_ids(std::string_view subuid, std::string_view subgid) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> taken;
  for (const std::string_view text : {subuid, subgid}) {
    for (const std::string& line : split(text, '\n')) {
      const std::vector<std::string> fields = split(line, ':');
      std::uint64_t first = 0;
      std::uint64_t count = 0;
      if (fields.size() == 3 && parse_number(trim(fields[1]), kLastId, first) &&
          parse_number(trim(fields[2]), kLastId, count))
        taken.emplace_back(first, first + count);
    }
  }
  std::sort(taken.begin(), taken.end());
  std::uint64_t free = kFirstSubordinate;
  for (const auto& [first, end] : taken) {
    if (first >= free + kSubordinateIds) break;
    free = std::max(free, end);
  }
  if (free + kSubordinateIds - 1 > kLastId) return std::nullopt;
  return free;
}

}  // namespace podshark::extcap::doctor
