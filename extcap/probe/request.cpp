// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/probe/request.h"

#include <array>
#include <utility>

#include "podman/core/text.h"

namespace podshark::extcap::probing {
namespace {

using probe::Protocol;

// "tcp, udp or icmp".
std::string list_of(std::span<const Protocol> known) {
  std::string out;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (i > 0) out += i + 1 == known.size() ? " or " : ", ";
    out += probe::to_string(known[i]);
  }
  return out;
}

Error wrong(const std::string& text, const std::string& why, std::string hint = {}) {
  return {ErrorKind::usage, "target '" + one_line(text, 80) + "': " + why, std::move(hint)};
}

bool is_group_prefix(const std::string& head) {
  return head == "pod" || head == "net";
}

// Takes "/udp" off the end. False for a word that is no protocol where one must be.
bool take_protocol(std::string& rest, std::span<const Protocol> known, TargetText& out) {
  const std::size_t slash = rest.rfind('/');
  if (slash == std::string::npos) return true;
  const std::string head = rest.substr(0, slash);
  const std::string word = rest.substr(slash + 1);
  // "pod/tcp" is a pod.
  if (is_group_prefix(head)) return true;
  for (const Protocol protocol : known) {
    if (word != probe::to_string(protocol)) continue;
    out.protocol = protocol;
    rest = head;
    return true;
  }
  return false;
}

// Takes ":80" off the end.
Status take_port(std::string& rest, const std::string& text, TargetText& out) {
  std::size_t colon = rest.rfind(':');
  if (!rest.empty() && rest.front() == '[') {
    const std::size_t end = rest.find(']');
    if (end == std::string::npos) return wrong(text, "the bracket is not closed");
    if (end + 1 < rest.size() && rest[end + 1] != ':') return wrong(text, "after ']' comes ':PORT'");
    colon = end + 1 < rest.size() ? end + 1 : std::string::npos;
  } else if (rest.find(':') != colon) {
    return ok();  // an IPv6 address without brackets has no port
  }
  if (colon != std::string::npos) {
    std::uint64_t port = 0;
    if (!parse_number(std::string_view(rest).substr(colon + 1), 65535, port) || port == 0)
      return wrong(text, "the port is not a number from 1 to 65535");
    out.port = static_cast<std::uint16_t>(port);
    rest.resize(colon);
  }
  if (!rest.empty() && rest.front() == '[') rest = rest.substr(1, rest.size() - 2);
  return ok();
}

}  // namespace

Result<TargetText> parse_target(const std::string& text, std::span<const Protocol> known) {
  TargetText out;
  if (text.starts_with("ssh://")) {
    return Error{ErrorKind::unsupported, "the target " + in_quotes(text) + " is on another machine",
                 "--host [USER@]HOST runs the command there, with the target as it is called there"};
  }
  std::string rest = text;
  if (!take_protocol(rest, known, out)) {
    return wrong(
        text,
        "unknown protocol: '" + one_line(rest.substr(rest.rfind('/') + 1), 20) + "' is no protocol here",
        list_of(known));
  }
  if (Status s = take_port(rest, text, out); !s) return s.error();
  if (rest.empty()) return wrong(text, "it names no host", "CONTAINER:PORT, host:PORT or ADDRESS:PORT");
  const bool portless = out.protocol == Protocol::icmp || out.protocol == Protocol::path_mtu;
  if (out.port && portless) return wrong(text, "this protocol has no ports");
  out.host = std::move(rest);
  return out;
}

std::optional<std::chrono::milliseconds> parse_seconds(const std::string& text,
                                                       std::chrono::milliseconds least,
                                                       std::chrono::milliseconds most) {
  const std::size_t dot = text.find('.');
  std::string fraction = dot == std::string::npos ? "0" : text.substr(dot + 1);
  std::uint64_t whole = 0;
  std::uint64_t part = 0;
  if (fraction.empty() || fraction.size() > 3) return std::nullopt;
  fraction.resize(3, '0');
  if (!parse_number(text.substr(0, dot), 1'000'000, whole) || !parse_number(fraction, 999, part))
    return std::nullopt;
  const std::chrono::milliseconds ms(whole * 1000 + part);
  if (ms < least || ms > most) return std::nullopt;
  return ms;
}

bool is_host_name(const std::string& text) {
  if (text.empty() || text.size() > 253) return false;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '-' && c != '.' && c != '_') return false;
  }
  return text.find("..") == std::string::npos && text.front() != '.';
}

}  // namespace podshark::extcap::probing
