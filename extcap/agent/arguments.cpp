// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/agent/arguments.h"

#include <net/if.h>
#include <string.h>

#include "podman/wire/ring.h"

namespace podshark::agent {
namespace {

constexpr std::uint32_t kMostRingKib = 1U << 20U;
constexpr std::uint32_t kMostLease = 86400;
constexpr std::uint32_t kMostPid = 1U << 22U;  // PID_MAX_LIMIT
constexpr std::size_t kHexDigits = 16;         // of one instruction

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool parse_digits(const char* word, std::size_t size, std::uint32_t least, std::uint32_t most,
                  std::uint32_t* out) {
  std::uint64_t value = 0;
  if (size == 0 || size > 10) return false;
  for (std::size_t i = 0; i < size; ++i) {
    if (word[i] < '0' || word[i] > '9') return false;
    value = value * 10 + static_cast<std::uint64_t>(word[i] - '0');
  }
  if (value < least || value > most) return false;
  *out = static_cast<std::uint32_t>(value);
  return true;
}

bool parse_instruction(const char* digits, sock_filter* out) {
  std::uint8_t bytes[kHexDigits / 2];
  for (std::size_t i = 0; i < sizeof(bytes); ++i) {
    const int high = hex_digit(digits[2 * i]);
    const int low = high < 0 ? -1 : hex_digit(digits[2 * i + 1]);
    if (low < 0) return false;
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  out->code = static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8);
  out->jt = bytes[2];
  out->jf = bytes[3];
  out->k = bytes[4] | std::uint32_t{bytes[5]} << 8U | std::uint32_t{bytes[6]} << 16U |
           std::uint32_t{bytes[7]} << 24U;
  return true;
}

const char* parse_filter(const char* word, CaptureArguments* out) {
  const char* colon = strchr(word, ':');
  std::uint32_t linktype = 0;
  if (colon == nullptr || !parse_digits(word, static_cast<std::size_t>(colon - word), 0, 65535, &linktype))
    return "is not LINKTYPE:HEX";
  if (linktype != wire::kLinktypeEthernet && linktype != wire::kLinktypeRaw)
    return "is for a link type whose filters the kernel cannot run";
  for (std::size_t i = 0; i < out->filter_count; ++i) {
    if (out->filters[i].linktype == linktype) return "is a second filter for the same link type";
  }
  const char* digits = colon + 1;
  const std::size_t size = strlen(digits);
  if (size == 0 || size % kHexDigits != 0 || size / kHexDigits > BPF_MAXINSNS)
    return "is not made of 1 to 4096 instructions of 16 hex digits";
  KernelFilter& filter = out->filters[out->filter_count];
  filter.linktype = static_cast<std::uint16_t>(linktype);
  filter.length = static_cast<std::uint16_t>(size / kHexDigits);
  for (std::size_t i = 0; i < filter.length; ++i) {
    if (!parse_instruction(digits + i * kHexDigits, &filter.code[i]))
      return "has other than lower-case hex digits";
  }
  ++out->filter_count;
  return nullptr;
}

const char* parse_links(const char* word, CaptureArguments* out) {
  for (;;) {
    const std::size_t size = strcspn(word, ",");
    if (size == 0 || size >= IFNAMSIZ || memchr(word, '/', size) != nullptr) return "is not a list of links";
    if (out->link_count == kMaxLinkNames) return "names too many links";
    out->links[out->link_count++] = {word, size};
    if (word[size] == '\0') return nullptr;
    word += size + 1;
  }
}

const char* parse_target(const char* word, CaptureArguments* out) {
  std::uint32_t pid = kSelf;
  if (strcmp(word, "self") != 0 && !parse_number(word, 1, kMostPid, &pid))
    return "is neither a process nor 'self'";
  if (out->target_count == kMaxTargets) return "is one target too many";
  out->targets[out->target_count++] = static_cast<int>(pid);
  return nullptr;
}

// The option's letter with its value; null, or why the value is refused.
const char* parse_option(char letter, const char* value, CaptureArguments* out) {
  switch (letter) {
    case 's':
      return parse_number(value, 1, wire::kMaxBlock, &out->snaplen) ? nullptr : "is no snaplen";
    case 'r':
      return parse_number(value, 1, kMostRingKib, &out->ring_kib) ? nullptr : "is no size of a ring in KiB";
    case 'L':
      return parse_number(value, 0, kMostLease, &out->lease_seconds) ? nullptr : "is no number of seconds";
    case 'i':
      return parse_links(value, out);
    default:
      return parse_filter(value, out);
  }
}

}  // namespace

bool parse_number(const char* word, std::uint32_t least, std::uint32_t most, std::uint32_t* out) {
  return parse_digits(word, strlen(word), least, most, out);
}

bool parse_capture(int count, char** words, CaptureArguments* out, Complaint* why) {
  int at = 0;
  for (; at < count && words[at][0] == '-'; ++at) {
    const char* word = words[at];
    if (strcmp(word, "-P") == 0) {
      out->promiscuous = false;
      continue;
    }
    if (strlen(word) != 2 || strchr("srLif", word[1]) == nullptr) {
      *why = {word, "is no option"};
      return false;
    }
    if (++at == count) {
      *why = {word, "needs a value"};
      return false;
    }
    if (const char* reason = parse_option(word[1], words[at], out); reason != nullptr) {
      *why = {words[at], reason};
      return false;
    }
  }
  for (; at < count; ++at) {
    if (const char* reason = parse_target(words[at], out); reason != nullptr) {
      *why = {words[at], reason};
      return false;
    }
  }
  if (out->target_count == 0) *why = {"capture", "names no target"};
  return out->target_count != 0;
}

}  // namespace podshark::agent
