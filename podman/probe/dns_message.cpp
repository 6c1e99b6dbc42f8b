// SPDX-License-Identifier: GPL-2.0-or-later
#include "podman/probe/dns_message.h"

#include <algorithm>

namespace podshark::probe {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::size_t kMaxName = 253;
constexpr std::size_t kMaxLabel = 63;
constexpr std::uint16_t kTypeNs = 2;
constexpr std::uint16_t kClassIn = 1;
constexpr unsigned kMaxRecords = 64;

void put_word(std::string& out, std::uint16_t value) {
  out += static_cast<char>(value >> 8U);
  out += static_cast<char>(value & 0xFFU);
}

std::uint8_t byte_at(std::string_view s, std::size_t i) {
  return static_cast<std::uint8_t>(s[i]);
}

// Reads on from `at`; false, and `at` unchanged, when the message ends before.
bool take_word(std::string_view s, std::size_t& at, std::uint16_t& out) {
  if (s.size() - at < 2) return false;
  out = static_cast<std::uint16_t>(byte_at(s, at) << 8U | byte_at(s, at + 1));
  at += 2;
  return true;
}

// A pointer ends a name, so there is nothing to follow.
bool skip_name(std::string_view s, std::size_t& at) {
  while (at < s.size()) {
    const std::uint8_t length = byte_at(s, at);
    if (length == 0) return ++at <= s.size();
    if ((length & 0xC0U) == 0xC0U) {
      at += 2;
      return at <= s.size();
    }
    if (length > kMaxLabel) return false;
    at += 1U + length;
  }
  return false;
}

bool take_record(std::string_view s, std::size_t& at, DnsReply& out) {
  std::uint16_t type = 0;
  std::uint16_t ignored = 0;
  std::uint16_t length = 0;
  const bool head = skip_name(s, at) && take_word(s, at, type) && take_word(s, at, ignored) &&
                    take_word(s, at, ignored) && take_word(s, at, ignored) && take_word(s, at, length);
  if (!head || s.size() - at < length) return false;
  const auto* data = reinterpret_cast<const std::uint8_t*>(s.data()) + at;
  if (out.addresses.size() < kMaxDnsAddresses) {
    if (type == kDnsA && length == 4) out.addresses.push_back(IpAddress::v4(data));
    if (type == kDnsAaaa && length == 16) out.addresses.push_back(IpAddress::v6(data));
  }
  at += length;
  return true;
}

bool put_name(std::string& out, std::string_view name) {
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  if (name.empty() || name.size() > kMaxName) return false;
  while (!name.empty()) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    if (dot == 0 || dot > kMaxLabel || dot + 1 == name.size()) return false;
    out += static_cast<char>(dot);
    out += name.substr(0, dot);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return true;
}

}  // namespace

std::optional<std::string> dns_query(std::uint16_t id, const std::string& name, std::uint16_t type) {
  std::string out;
  put_word(out, id);
  put_word(out, 0x0100);  // recursion desired
  put_word(out, 1);       // one question
  out.append(6, '\0');
  const bool root = name == ".";
  if (!root && !put_name(out, name)) return std::nullopt;
  out += '\0';
  put_word(out, root ? kTypeNs : type);
  put_word(out, kClassIn);
  return out;
}

std::optional<DnsReply> parse_dns_reply(std::string_view s) {
  std::size_t at = 0;
  DnsReply out;
  std::uint16_t flags = 0;
  std::uint16_t questions = 0;
  std::uint16_t answers = 0;
  if (s.size() < kHeader || !take_word(s, at, out.id) || !take_word(s, at, flags) || (flags & 0x8000U) == 0 ||
      !take_word(s, at, questions) || !take_word(s, at, answers)) {
    return std::nullopt;
  }
  out.code = static_cast<int>(flags & 0xFU);
  at = kHeader;
  for (unsigned i = 0; i < questions && i < kMaxRecords; ++i) {
    if (!skip_name(s, at) || s.size() - at < 4) return out;
    at += 4;
  }
  for (unsigned i = 0; i < answers && i < kMaxRecords; ++i) {
    if (!take_record(s, at, out)) break;
  }
  return out;
}

std::string dns_code_text(int code) {
  switch (code) {
    case 0:
      return "no error";
    case 1:
      return "format error";
    case 2:
      return "server failure";
    case 3:
      return "no such name";
    case 4:
      return "not implemented";
    case 5:
      return "query refused";
    default:
      return "error " + std::to_string(code);
  }
}

}  // namespace podshark::probe
