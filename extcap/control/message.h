// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace podshark::extcap {

/// What a message on Wireshark's control pipes asks for; the same from 4.0 to 4.6. Wireshark sends the first
/// two only. Received messages may carry numbers that are not listed here.
enum class ControlVerb : std::uint8_t {
  initialized = 0,  ///< from Wireshark: all changed values have been sent
  set = 1,
  add = 2,
  remove = 3,
  enable = 4,
  disable = 5,
  status_bar = 6,
  information = 7,  ///< this and the next two open a dialog each
  warning = 8,
  error = 9,
};

struct ControlMessage {
  std::uint8_t control = 0;  ///< number of the `control` sentence; no meaning in initialized and 6 to 9
  ControlVerb verb = ControlVerb::initialized;
  std::string payload;
};

inline constexpr std::size_t kMaxControlPayload = 65535;
inline constexpr std::size_t kControlHeader = 6;

/// 'T', length (3 bytes, big endian) of the rest, control, verb, payload. A longer payload is cut.
[[nodiscard]] std::string encode(const ControlMessage& message);

/// Line for the log in the place of messages that found no room.
[[nodiscard]] std::string lost_note(std::uint64_t count);

/// Takes the messages out of a stream of bytes, however it is cut into pieces. After a byte that cannot begin
/// a message, or a length that is impossible, it is broken for good: nothing tells where the next one starts.
class ControlDecoder {
 public:
  /// Call next() until it is empty afterwards, or the bytes pile up.
  void feed(std::string_view bytes);
  [[nodiscard]] std::optional<ControlMessage> next();
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  std::string buffer_;
  bool broken_ = false;
};

}  // namespace podshark::extcap
