// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/control/message.h"

#include <algorithm>

namespace podshark::extcap {
namespace {

constexpr char kSync = 'T';
constexpr std::size_t kCounted = 2;  // control and verb are part of the length

std::size_t byte_at(const std::string& bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

}  // namespace

std::string encode(const ControlMessage& message) {
  const std::size_t size = std::min(message.payload.size(), kMaxControlPayload);
  const std::size_t length = size + kCounted;
  std::string out;
  out.reserve(kControlHeader + size);
  out += kSync;
  for (const unsigned shift : {16U, 8U, 0U}) out += static_cast<char>((length >> shift) & 0xffU);
  out += static_cast<char>(message.control);
  out += static_cast<char>(message.verb);
  out.append(message.payload, 0, size);
  return out;
}

std::string lost_note(std::uint64_t count) {
  return "(" + std::to_string(count) + " messages were lost: nobody read them in time)\n";
}

void ControlDecoder::feed(std::string_view bytes) {
  if (!broken_) buffer_ += bytes;
}

std::optional<ControlMessage> ControlDecoder::next() {
  if (buffer_.size() < kControlHeader || broken_) return std::nullopt;
  const std::size_t length = (byte_at(buffer_, 1) << 16U) | (byte_at(buffer_, 2) << 8U) | byte_at(buffer_, 3);
  if (buffer_[0] != kSync || length < kCounted || length - kCounted > kMaxControlPayload) {
    broken_ = true;
    buffer_ = {};
    return std::nullopt;
  }
  const std::size_t whole = kControlHeader + length - kCounted;
  if (buffer_.size() < whole) return std::nullopt;
  ControlMessage message{static_cast<std::uint8_t>(byte_at(buffer_, 4)),
                         static_cast<ControlVerb>(byte_at(buffer_, 5)),
                         buffer_.substr(kControlHeader, whole - kControlHeader)};
  buffer_.erase(0, whole);
  return message;
}

}  // namespace podshark::extcap
