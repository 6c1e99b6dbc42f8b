// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/tool_words.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string_view>

#include "podman/core/text.h"

namespace podshark::extcap {
namespace {

constexpr std::string_view kFound = "podshark-found ";
constexpr std::string_view kMachine = "podshark-machine ";

bool holds_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view w) { return text.find(w) != std::string_view::npos; });
}

// tcpdump 4.9 to 4.99, dumpcap 4.0 to 4.6.
bool chatter(std::string_view line) {
  return line.empty() || line.starts_with(kFound) || line.starts_with(kMachine) ||
         holds_any(line, {"listening on ", "data link type ", " captured", " received by filter",
                          " dropped by kernel", " dropped by interface", "Capturing on ",
                          "File: ", "Packets captured: ", "Packets received/dropped on interface",
                          "cap_set_proc() fail", " is deprecated; ", "command terminated with exit code",
                          "Defaulted container "});
}

// The number that ends right before `after`.
std::optional<std::uint64_t> number_before(std::string_view line, std::string_view after) {
  const std::size_t end = line.find(after);
  if (end == std::string_view::npos) return std::nullopt;
  std::size_t from = end;
  while (from > 0 && line[from - 1] >= '0' && line[from - 1] <= '9') --from;
  std::uint64_t value = 0;
  if (!parse_number(line.substr(from, end - from), ~std::uint64_t{0}, value)) return std::nullopt;
  return value;
}

}  // namespace

std::string complaint(const std::string& errors) {
  // Their own complaints come first and are explained in further lines; a shell's is the last line.
  std::string_view last;
  const std::vector<std::string> lines = split(errors, '\n');
  for (const std::string& raw : lines) {
    const std::string_view line = trim(raw);
    if (chatter(line)) continue;
    last = line;
    if (line.starts_with("tcpdump: ") || line.starts_with("dumpcap: ") || line.starts_with("Error: ")) break;
  }
  return one_line(last, 300);
}

ErrorKind complaint_kind(const std::string& text) {
  if (holds_any(text, {"image not known", "no such image", "unable to find a name and tag match"}))
    return ErrorKind::not_found;
  if (holds_any(text, {"no such container", "no container with", "is not running", "container state improper",
                       "exec sessions on running containers", "has been removed"}))
    return ErrorKind::gone;
  if (holds_any(text, {"executable file", "command that was not found"})) return ErrorKind::unsupported;
  if (holds_any(text, {"No such device", "no device named", "SIOCGIFHWADDR"})) return ErrorKind::usage;
  if (holds_any(text, {"filter expression", "capture filter", "syntax error", "supported only on"}))
    return ErrorKind::bad_filter;
  if (holds_any(text, {"ermission", "not permitted"})) return ErrorKind::permission;
  return ErrorKind::internal;
}

std::vector<std::string> found_tools(const std::string& errors) {
  std::vector<std::string> out;
  for (const std::string& line : split(errors, '\n')) {
    for (const char* tool : {"tcpdump", "dumpcap", "apt-get", "apk", "dnf"}) {
      if (trim(line) == std::string(kFound) + tool) out.emplace_back(tool);
    }
  }
  return out;
}

std::string reported_machine(const std::string& errors) {
  for (const std::string& line : split(errors, '\n')) {
    const std::string_view text = trim(line);
    if (!text.starts_with(kMachine)) continue;
    const std::string_view machine = text.substr(kMachine.size());
    const bool plain = machine.size() <= 32 && machine.find_first_not_of(
                                                   "abcdefghijklmnopqrstuvwxyz"
                                                   "0123456789_") == std::string_view::npos;
    if (plain) return std::string(machine);
  }
  return {};
}

std::optional<std::uint64_t> reported_drops(const std::string& errors) {
  std::optional<std::uint64_t> sum;
  for (const std::string& line : split(errors, '\n')) {
    std::optional<std::uint64_t> found;
    if (line.starts_with("Packets received/dropped on interface")) {  // '…': 6/0 (pcap:0/dumpcap:0/…)
      found = number_before(line, " (pcap:");
    } else {
      found = number_before(line, " packets dropped by kernel");
      if (!found) found = number_before(line, " packet dropped by kernel");
      if (!found) found = number_before(line, " packets dropped by interface");
      if (!found) found = number_before(line, " packet dropped by interface");
    }
    if (found) sum = sum.value_or(0) + *found;
  }
  return sum;
}

}  // namespace podshark::extcap
