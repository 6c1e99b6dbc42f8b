// SPDX-License-Identifier: GPL-2.0-or-later
#include "plugin/dns_names.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>

namespace podshark::plugin {
namespace {

constexpr std::string_view kDomain = ".dns.podman";
constexpr unsigned kAnswer = 0x8000;
constexpr unsigned kTypeA = 1;
constexpr unsigned kTypeAaaa = 28;
constexpr unsigned kClassIn = 1;
constexpr unsigned kMostRecords = 64;
constexpr int kMostJumps = 8;
constexpr std::size_t kHeader = 12;

class Reader {
 public:
  Reader(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  [[nodiscard]] bool good() const { return good_; }
  unsigned u16() {
    if (!need(2)) return 0;
    const unsigned value = unsigned{data_[at_]} << 8U | data_[at_ + 1];
    at_ += 2;
    return value;
  }
  const std::uint8_t* bytes(std::size_t count) {
    if (!need(count)) return nullptr;
    const std::uint8_t* p = data_ + at_;
    at_ += count;
    return p;
  }
  // Lower case, dots between labels; compression pointers are followed.
  std::string name() {
    std::string out;
    std::size_t at = at_;
    bool jumped = false;
    for (int jumps = 0; at < size_ && jumps <= kMostJumps;) {
      const unsigned length = data_[at];
      if (length == 0) {
        if (!jumped) at_ = at + 1;
        return out;
      }
      if ((length & 0xC0U) == 0xC0U) {
        if (at + 2 > size_) break;
        if (!jumped) at_ = at + 2;
        jumped = true;
        ++jumps;
        at = (std::size_t{length & 0x3FU} << 8U) | data_[at + 1];
        continue;
      }
      if (length > 63 || at + 1 + length > size_ || out.size() + length > 255) break;
      if (!out.empty()) out += '.';
      for (unsigned i = 1; i <= length; ++i) out += static_cast<char>(std::tolower(data_[at + i]));
      at += 1 + length;
    }
    good_ = false;
    return {};
  }

 private:
  bool need(std::size_t count) {
    good_ = good_ && count <= size_ - at_;
    return good_;
  }
  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
  bool good_ = true;
};

std::optional<std::string> without_domain(const std::string& name) {
  if (name.size() <= kDomain.size()) return std::nullopt;
  const std::size_t end = name.size() - kDomain.size();
  if (std::string_view(name).substr(end) != kDomain) return std::nullopt;
  return name.substr(0, end);
}

}  // namespace

std::vector<DnsName> podman_dns_names(const std::uint8_t* data, std::size_t size) {
  std::vector<DnsName> out;
  if (size < kHeader) return out;
  Reader r(data, size);
  (void)r.u16();
  if ((r.u16() & kAnswer) == 0) return out;
  const unsigned questions = r.u16();
  const unsigned answers = std::min(r.u16(), kMostRecords);
  (void)r.bytes(4);
  for (unsigned i = 0; i < questions && r.good() && i < kMostRecords; ++i) {
    (void)r.name();
    (void)r.bytes(4);
  }
  for (unsigned i = 0; i < answers && r.good(); ++i) {
    const std::string name = r.name();
    const unsigned type = r.u16();
    const unsigned record_class = r.u16();
    (void)r.bytes(4);
    const unsigned length = r.u16();
    const std::uint8_t* value = r.bytes(length);
    if (value == nullptr || record_class != kClassIn) continue;
    const bool fits = (type == kTypeA && length == 4) || (type == kTypeAaaa && length == 16);
    if (const auto host = without_domain(name); fits && host) out.push_back({Address(value, length), *host});
  }
  return out;
}

}  // namespace podshark::plugin
